"""A request body is taken at its word: a value of another JSON type than the description's is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.states import JobStatus
from tests.factories import Api, make_job

UPLOAD = {"filename": "a.mp4", "size_bytes": 1, "mime_type": "video/mp4"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/projects", {"name": 1}, "name"),
        ("/projects", {"name": 1.5}, "name"),
        ("/projects", {"name": True}, "name"),
        ("/projects", {"name": ["a"]}, "name"),
        ("/jobs/{job}/upload", {**UPLOAD, "size_bytes": "1"}, "size_bytes"),
        ("/jobs/{job}/upload", {**UPLOAD, "size_bytes": 1.5}, "size_bytes"),
        ("/jobs/{job}/upload", {**UPLOAD, "size_bytes": True}, "size_bytes"),
        ("/jobs/{job}/upload", {**UPLOAD, "filename": 7}, "filename"),
        ("/projects/{project}/jobs", {"options": {"auto_screenshots": "yes"}}, "options.auto_screenshots"),
        ("/projects/{project}/jobs", {"options": {"auto_screenshots": 1}}, "options.auto_screenshots"),
        ("/projects/{project}/jobs", {"options": {"title": 5}}, "options.title"),
        ("/jobs/{job}/confirm-upload", {"video_uri": 5}, "video_uri"),
    ],
)
def test_a_value_of_another_type_is_refused(owner: Api, path: str, body: Any, field: str) -> None:
    job = make_job(JobStatus.CREATED, owner=owner.user)
    answer = owner.post(path.format(job=job.pk, project=job.project_id), body)
    assert answer.status_code == 400, answer.content
    assert [(error["field"], error["code"]) for error in answer.json()["details"]["errors"]] == [
        (field, "wrong_type")
    ]


def test_whole_numbers_may_be_written_with_a_point_and_queries_are_text(owner: Api) -> None:
    job = make_job(JobStatus.CREATED, owner=owner.user)
    assert owner.post(f"/jobs/{job.pk}/upload", {**UPLOAD, "size_bytes": 1.0}).status_code == 201
    assert owner.get("/projects?limit=5").status_code == 200


def test_a_body_of_white_space_is_not_json(owner: Api) -> None:
    job = make_job(JobStatus.CREATED, owner=owner.user)
    assert owner.post(f"/projects/{job.project_id}/jobs", b"\t").status_code == 400
    assert owner.post(f"/projects/{job.project_id}/jobs", b"").status_code == 201
