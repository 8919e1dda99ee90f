"""`Idempotency-Key` on the two creations: one row for one key, however often and however many at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from jobs.models import AuditEvent, Job, Project
from tests.factories import Api, make_user
from tests.races import at_once


def test_the_same_key_and_body_replay_the_first_answer(owner: Api) -> None:
    first = owner.post("/projects", {"name": "a"}, idempotency_key="k")
    again = owner.post("/projects", {"name": "a"}, idempotency_key="k")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers
    assert Project.objects.count() == 1


def test_a_job_is_replayed_as_it_was_made_though_it_has_moved_on(owner: Api) -> None:
    project = owner.post("/projects", {"name": "a"}).json()["id"]
    first = owner.post(f"/projects/{project}/jobs", {"options": {"title": "T"}}, idempotency_key="k")
    owner.post(f"/jobs/{first.json()['id']}/cancel")
    again = owner.post(f"/projects/{project}/jobs", {"options": {"title": "T"}}, idempotency_key="k")
    assert (again.status_code, again.json()) == (200, first.json())
    assert AuditEvent.objects.filter(event_type="JOB_CREATED").count() == 1


@pytest.mark.parametrize("route", ["projects", "jobs"])
def test_the_same_key_with_another_body_is_refused(owner: Api, route: str) -> None:
    path, body, other = "/projects", {"name": "a"}, {"name": "b"}
    if route == "jobs":
        path = f"/projects/{owner.post('/projects', {'name': 'a'}).json()['id']}/jobs"
        body, other = {}, {"options": {"title": "T"}}  # type: ignore[assignment]
    assert owner.post(path, body, idempotency_key="k").status_code == 201
    refused = owner.post(path, other, idempotency_key="k")
    assert (refused.status_code, refused.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_a_key_is_its_owners_and_its_routes(owner: Api, stranger: Api) -> None:
    mine = owner.post("/projects", {"name": "a"}, idempotency_key="k")
    theirs = stranger.post("/projects", {"name": "b"}, idempotency_key="k")
    assert (mine.status_code, theirs.status_code) == (201, 201)
    job = owner.post(f"/projects/{mine.json()['id']}/jobs", {}, idempotency_key="k")
    assert job.status_code == 201


def test_after_24_hours_a_key_is_free_again(owner: Api) -> None:
    first = owner.post("/projects", {"name": "a"}, idempotency_key="k").json()["id"]
    Project.objects.update(created_at=Now() - timedelta(hours=23, minutes=59))
    assert owner.post("/projects", {"name": "a"}, idempotency_key="k").json()["id"] == first
    Project.objects.update(created_at=Now() - timedelta(hours=24, minutes=1))
    later = owner.post("/projects", {"name": "other"}, idempotency_key="k")
    assert later.status_code == 201 and later.json()["id"] != first


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_a_key_that_is_off_is_400(owner: Api, key: str) -> None:
    answer = owner.post("/projects", {"name": "a"}, idempotency_key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
    assert answer.json()["details"]["errors"][0]["field"] == "Idempotency-Key"
    assert not Project.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("route", ["projects", "jobs"])
def test_of_sixteen_at_once_one_creates_and_the_others_replay(route: str) -> None:
    api = Api(make_user("owner"))
    path, body = "/projects", {"name": "a"}
    if route == "jobs":
        path, body = f"/projects/{api.post('/projects', body).json()['id']}/jobs", {}
    answers = at_once(16, lambda _: api.post(path, body, idempotency_key="k"))
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert Project.objects.count() == 1
    assert Job.objects.count() == (1 if route == "jobs" else 0)
