"""The pages for people and machines beside the API: docs, health, admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from config.accounts.models import User
from config.work.models import Worker
from tests.factories import make_job


def test_the_docs_and_the_description_are_served_without_a_token(db: None) -> None:
    description = Client().get("/api/v1/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    page = Client().get("/api/docs").content.decode()
    assert "swagger-ui" in page and "https://" not in page, "nothing comes from elsewhere"


def test_healthz_asks_no_database(django_assert_num_queries: Any, db: None) -> None:
    with django_assert_num_queries(0):
        assert Client().get("/healthz").json() == {"status": "ok"}


def test_readyz_names_the_part_that_is_down(db: None) -> None:
    answer = Client().get("/readyz")
    missing = "down (no worker for control, media, exports, language, speech, backfill, export_backfill)"
    assert (answer.status_code, answer.json()["parts"]["workers"]) == (503, missing)
    Worker.objects.create(name="w", lanes=["control", "media", "exports", "language"])
    Worker.objects.create(name="v", lanes=["speech", "backfill", "export_backfill"])
    answer = Client().get("/readyz")
    assert (answer.status_code, set(answer.json()["parts"].values())) == (200, {"ok"})


def test_readyz_names_a_lane_whose_workers_are_silent(db: None) -> None:
    Worker.objects.create(
        name="w", lanes=["control", "media", "exports", "language", "backfill", "export_backfill"]
    )
    silent = Worker.objects.create(name="v", lanes=["speech"])
    assert Client().get("/readyz").status_code == 200
    Worker.objects.filter(pk=silent.pk).update(heartbeat_at=Now() - timedelta(seconds=31))
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["parts"]["workers"]) == (503, "down (no worker for speech)")


@pytest.mark.parametrize(
    "page",
    ["", "jobs/job/", "jobs/project/", "jobs/uploadticket/", "accounts/user/", "work/worker/",
     "instructions/instruction/", "instructions/instructionversion/", "instructions/regeneratetask/",
     "anchors/asset/", "anchors/anchorresolution/", "anchors/screenshottask/", "exports/export/"],
)  # fmt: skip
def test_the_admins_pages_open_for_staff_and_send_others_to_sign_in(db: None, page: str) -> None:
    staff = Client()
    staff.force_login(User.objects.create_superuser("admin"))
    assert staff.get(f"/admin/{page}").status_code == 200
    assert Client().get(f"/admin/{page}").status_code == 302


def test_a_job_is_shown_and_cannot_be_changed_in_the_admin(db: None) -> None:
    job = make_job()
    staff = Client()
    staff.force_login(User.objects.create_superuser("admin"))
    page = staff.get(f"/admin/jobs/job/{job.pk}/change/")
    assert page.status_code == 200 and b"JOB_CREATED" in page.content
    assert staff.post(f"/admin/jobs/job/{job.pk}/change/", {"status": "DONE"}).status_code == 404
    assert staff.post(f"/admin/jobs/job/{job.pk}/delete/", {"post": "yes"}).status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_answers_reading_alone_and_reads_no_body(db: None, path: str) -> None:
    assert Client().head(path).status_code == Client().get(path).status_code
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = Client(enforce_csrf_checks=True).generic(method, path, b"x" * 10)
        assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
