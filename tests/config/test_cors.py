"""Pages of other origins: none may call the API, but those that are named, and then without cookies."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from config.storage import kept_folder, storage
from config.storage.signed_urls import download_url, upload_url
from jobs.states import JobStatus
from tests.factories import Api, make_job
from tests.uploads import TEN, make_upload_ticket

APP, OTHER = "https://app.example.com", "https://evil.example"
ALLOW = "Access-Control-Allow-Origin"


@pytest.fixture
def named(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [APP]


def preflight(path: str, method: str, *, origin: str = APP, headers: str = "") -> Any:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    return Client().options(path, headers={**asked, "Access-Control-Request-Headers": headers})


def test_no_origin_is_allowed_by_default(owner: Api) -> None:
    for answer in (owner.get("/projects", origin=APP), preflight("/api/v1/projects", "POST")):
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_a_named_origin_reads_answers_and_their_headers(owner: Api, named: None) -> None:
    answer = owner.get("/projects", origin=APP)
    assert answer.headers[ALLOW] == APP and "origin" in answer.headers["Vary"]
    shown = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert shown >= {"ETag", "Link", "Location", "Retry-After", "X-Request-ID", "RateLimit", "RateLimit-Policy",
                     "Idempotent-Replayed", "Content-Range", "Content-Disposition"}  # fmt: skip
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [OTHER, "null", "http://app.example.com", f"{APP}.evil.example", f"{APP}:8443", "https://", "*", "["],
)
def test_no_other_origin_reads_anything(owner: Api, named: None, origin: str) -> None:
    assert ALLOW not in owner.get("/projects", origin=origin).headers
    assert ALLOW not in preflight("/api/v1/projects", "POST", origin=origin).headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_a_named_origin_may_send_what_the_api_takes(named: None, method: str) -> None:
    wanted = ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "x-request-id",
              "prefer", "last-event-id", "range"]  # fmt: skip
    answer = preflight("/api/v1/projects", method, headers=",".join(wanted))
    assert answer.status_code == 200 and answer.headers[ALLOW] == APP
    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")
    assert set(wanted) <= set(answer.headers["Access-Control-Allow-Headers"].lower().split(", "))


def test_refusals_can_be_read_too(db: None, named: None) -> None:
    at_home = {"Origin": APP}
    answers = {
        401: Client().get("/api/v1/projects", headers=at_home),
        404: Client().get("/api/v1/nothing", headers=at_home),
        413: Client().post("/api/v1/projects", b"x" * (2**21 + 1), "application/json", headers=at_home),
    }
    for status, answer in answers.items():
        assert (answer.status_code, answer.headers[ALLOW]) == (status, APP)


@pytest.mark.parametrize(
    "path", ["/admin/login/", "/", "/healthz", "/api/docs", "/api/v1/internal/jobs/x/status"]
)
def test_pages_and_callbacks_are_nobodys_from_elsewhere(db: None, named: None, path: str) -> None:
    assert ALLOW not in Client().get(path, headers={"Origin": APP}).headers
    assert ALLOW not in preflight(path, "POST").headers


def test_a_page_of_a_named_origin_uploads_and_reads_a_part(db: None, named: None, settings: Any) -> None:
    job = make_job(JobStatus.UPLOADING)
    path = upload_url(make_upload_ticket(job).key).removeprefix(settings.PUBLIC_URL)
    assert preflight(path, "PUT", headers="content-type").headers[ALLOW] == APP
    sent = Client().put(path, TEN, content_type="video/mp4", headers={"Origin": APP})
    assert (sent.status_code, sent.headers[ALLOW]) == (204, APP)
    stored = storage().save_bytes(kept_folder(job.pk), b"0123456789", suffix="")
    url = download_url(stored.uri, filename="a.bin", mime_type="application/octet-stream", seconds=60)
    path = url.removeprefix(settings.PUBLIC_URL)
    assert preflight(path, "GET", headers="range").headers[ALLOW] == APP
    part = Client().get(path, headers={"Origin": APP, "Range": "bytes=2-4"})
    assert (part.status_code, part.getvalue(), part.headers[ALLOW]) == (206, b"234", APP)


def test_a_star_lets_every_origin_in_outside_production(owner: Api, settings: Any) -> None:
    settings.CORS_ALLOW_ALL_ORIGINS = True
    assert owner.get("/projects", origin=OTHER).headers[ALLOW] == "*"
