"""Projects and jobs: create, read, list, ETag, transcript, events."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from config.api.pagination import moment_of
from jobs.models import Job
from jobs.queries import narrow_jobs
from jobs.states import JobStatus
from tests.factories import Api, make_job, make_project


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, None, 7.5, ["a"]])
def test_a_project_needs_a_name(owner: Api, name: Any) -> None:
    response = owner.post("/projects", {"name": name})
    assert (response.status_code, response.json()["details"]["errors"][0]["field"]) == (400, "name")


def test_a_projects_name_is_trimmed(owner: Api) -> None:
    assert owner.post("/projects", {"name": "  Guides  "}).json()["name"] == "Guides"


def test_a_new_job_is_created_with_the_default_options(owner: Api) -> None:
    project = make_project(owner.user)
    job = owner.post(f"/projects/{project.pk}/jobs").json()
    assert job["status"] == "CREATED"
    assert job["options"] == {"auto_screenshots": True}
    assert job["manifest"] == {"exports": []}
    assert job["failure"] is None and job["instruction_id"] is None and job["queue_position"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", job["created_at"])


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"language": "English"}, "options.language"),
        ({"model_profile": "odd"}, "options.model_profile"),
        ({"odd": 1}, "options.odd"),
        ({"title": ""}, "options.title"),
        ({"auto_screenshots": "perhaps"}, "options.auto_screenshots"),
    ],
)
def test_a_bad_option_is_named(owner: Api, options: dict[str, Any], field: str) -> None:
    response = owner.post(f"/projects/{make_project(owner.user).pk}/jobs", {"options": options})
    assert response.status_code == 400
    assert response.json()["details"]["errors"][0]["field"] == field


def test_lists_show_the_owners_own_newest_first_in_pages(owner: Api, stranger: Api) -> None:
    mine = [str(make_job(owner=owner.user).pk) for _ in range(5)]
    make_job(owner=stranger.user)
    seen, url = [], "/jobs?limit=2"
    while url:
        response = owner.get(url)
        seen += [job["id"] for job in response.json()]
        link = re.search(r'<http://testserver(.+)>; rel="next"', response.headers.get("Link", ""))
        url = link.group(1) if link else ""
    assert seen == mine[::-1]


def test_lists_can_be_narrowed_by_status_and_time(owner: Api) -> None:
    jobs = {
        status: make_job(status, owner=owner.user)
        for status in (JobStatus.CREATED, JobStatus.UPLOADED, JobStatus.CANCELLED)
    }
    found = owner.get("/jobs?status=CREATED&status=CANCELLED").json()
    assert {job["status"] for job in found} == {"CREATED", "CANCELLED"}
    middle = owner.get(f"/jobs/{jobs[JobStatus.UPLOADED].pk}").json()["created_at"]
    assert [job["status"] for job in owner.get(f"/jobs?created_after={middle}").json()] == ["CANCELLED"]
    assert [job["status"] for job in owner.get(f"/jobs?created_before={middle}").json()] == ["CREATED"]


def test_a_job_is_read_in_two_queries_and_a_list_of_them_too(
    owner: Api, django_assert_num_queries: Any
) -> None:
    jobs = [make_job(JobStatus.EDITING, owner=owner.user) for _ in range(3)]
    with django_assert_num_queries(2):
        owner.get(f"/jobs/{jobs[0].pk}")
    with django_assert_num_queries(2):
        assert len(owner.get("/jobs").json()) == 3


def test_the_etag_follows_every_change(owner: Api) -> None:
    job = make_job(owner=owner.user)
    etag = owner.get(f"/jobs/{job.pk}").headers["ETag"]
    unchanged = owner.get(f"/jobs/{job.pk}", if_none_match=etag)
    assert (unchanged.status_code, unchanged.content, unchanged.headers["ETag"]) == (304, b"", etag)
    owner.post(f"/jobs/{job.pk}/cancel")
    changed = owner.get(f"/jobs/{job.pk}", if_none_match=etag)
    assert (changed.status_code, changed.json()["status"]) == (200, "CANCELLED")


def test_a_failed_job_says_why(owner: Api) -> None:
    job = make_job(JobStatus.FAILED, owner=owner.user)
    failure = {"failure_code": "NO_AUDIO", "failure_message": "m", "failed_stage": "s", "correlation_id": "c"}
    Job.objects.filter(pk=job.pk).update(failure=failure)
    assert owner.get(f"/jobs/{job.pk}").json()["failure"] == failure


def test_events_tell_every_change_oldest_first(owner: Api) -> None:
    job = make_job(JobStatus.DRAFT_READY, owner=owner.user)
    events = owner.get(f"/jobs/{job.pk}/events").json()
    assert [event.get("new_status") for event in events][:2] == ["CREATED", "AUDIO_EXTRACTING"]
    assert events[-1]["new_status"] == "DRAFT_READY"
    assert {"id", "event_type", "actor_type", "occurred_at", "recorded_at", "correlation_id"} <= set(
        events[0]
    )


def test_the_transcript_is_read_in_pages(owner: Api) -> None:
    job = make_job(JobStatus.TRANSCRIPT_READY, owner=owner.user)
    first = owner.get(f"/jobs/{job.pk}/transcript?limit=1").json()
    second = owner.get(f"/jobs/{job.pk}/transcript?limit=1&cursor={first['next_cursor']}").json()
    assert [first["items"][0]["text"], second["items"][0]["text"]] == [
        "Click the New button.",
        "Type the name.",
    ]
    assert (first["limit"], second["next_cursor"]) == (1, None)


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "cursor=odd", "cursor=LTEuNQ", "odd=1"])
def test_a_bad_page_of_the_transcript_is_400(owner: Api, query: str) -> None:
    job = make_job(JobStatus.TRANSCRIPT_READY, owner=owner.user)
    assert owner.get(f"/jobs/{job.pk}/transcript?{query}").status_code == 400


@pytest.mark.parametrize("status", [JobStatus.CREATED, JobStatus.UPLOADED, JobStatus.TRANSCRIBING])
def test_before_there_is_a_transcript_it_is_not_ready(owner: Api, status: JobStatus) -> None:
    job = make_job(status, owner=owner.user)
    for path in ("transcript", "transcript.srt", "transcript.vtt"):
        response = owner.get(f"/jobs/{job.pk}/{path}")
        assert (response.status_code, response.json()["code"]) == (409, "TRANSCRIPT_NOT_READY")


def test_the_transcript_is_given_as_subtitles(owner: Api) -> None:
    job = make_job(JobStatus.TRANSCRIPT_READY, owner=owner.user)
    vtt = owner.get(f"/jobs/{job.pk}/transcript.vtt", accept="text/vtt").content.decode()
    assert vtt.startswith("WEBVTT") and "00:00:02.500 --> 00:00:04.000" in vtt
    assert "00:00:02,500 --> 00:00:04,000" in owner.get(f"/jobs/{job.pk}/transcript.srt").content.decode()


def test_a_time_is_compared_to_the_millisecond_on_both_sides(owner: Api) -> None:
    job = make_job(owner=owner.user)
    made = datetime.fromisoformat(owner.get(f"/jobs/{job.pk}").json()["created_at"])
    for microseconds, after, before in ((-1000, 1, 0), (-1, 1, 0), (0, 0, 0), (1, 0, 1), (1000, 0, 1)):
        moment = (made + timedelta(microseconds=microseconds)).isoformat().replace("+00:00", "Z")
        assert len(owner.get(f"/jobs?created_after={moment}").json()) == after, microseconds
        assert len(owner.get(f"/jobs?created_before={moment}").json()) == before, microseconds
    for moment in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"):
        answers = [owner.get(f"/jobs?created_{side}={moment}").status_code for side in ("after", "before")]
        assert answers == [200, 200]


def test_every_filter_is_an_index_scan(owner: Api) -> None:
    project = make_job(owner=owner.user).project
    Job.objects.bulk_create(
        Job(project=project, owner=owner.user, options={}, status=status)
        for status in JobStatus
        for _ in range(400)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job")
    middle = Job.objects.order_by("pk")[3000].pk
    after = {"created_after": moment_of(middle)}
    for query in (
        {},
        {"status": [JobStatus.EDITING]},
        after,
        {**after, "status": [JobStatus.EDITING]},
        {"created_before": moment_of(middle)},
    ):
        for jobs in (Job.objects.visible_to(owner.user), project.jobs.all()):
            plan = narrow_jobs(jobs, query).order_by("-pk")[:101].explain()
            assert "Index" in plan and "Seq Scan" not in plan and "Sort" not in plan, (query, plan)
