"""Saving a document: its versions, who wins, and what is noted."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from instructions.models import InstructionVersion, StepSource
from instructions.services import sources
from instructions.services.sources import read_source
from jobs.states import JobStatus
from tests.factories import Api, make_user
from tests.instructions.documents import make_document
from tests.races import at_once


def test_saving_makes_the_next_version_and_opens_the_document(owner: Api) -> None:
    document = make_document(owner)
    text = document["markdown"] + "\nMore.\n"
    saved = owner.put(f"/instructions/{document['id']}", {"base_version": 1, "markdown": text})
    assert (saved.status_code, saved.json()["version"]) == (200, 2)
    assert saved.headers["ETag"] != owner.get(f"/instructions/{document['id']}?version=1").headers["ETag"]
    assert owner.get(f"/jobs/{document['job_id']}").json()["status"] == "EDITING"
    ids = [block["block_id"] for block in document["blocks"]]
    assert [block["block_id"] for block in saved.json()["blocks"]][: len(ids)] == ids
    versions = owner.get(f"/instructions/{document['id']}/versions").json()
    assert [(version["version"], version["source"]) for version in versions] == [(2, "edit"), (1, "draft")]


def test_saving_what_stands_there_writes_no_version(owner: Api) -> None:
    document = make_document(owner)
    body = {"base_version": 1, "markdown": document["markdown"]}
    assert owner.put(f"/instructions/{document['id']}", body).json()["version"] == 1
    assert InstructionVersion.objects.count() == 1


def test_a_stale_base_is_a_conflict_and_a_stale_if_match_412(owner: Api) -> None:
    document = make_document(owner)
    path, body = f"/instructions/{document['id']}", {"base_version": 1, "markdown": "# A\n"}
    etag = owner.get(path).headers["ETag"]
    assert owner.put(path, body, if_match=etag).status_code == 200
    stale = owner.put(path, {"base_version": 1, "markdown": "# B\n"})
    assert (stale.status_code, stale.json()["code"]) == (409, "VERSION_CONFLICT")
    assert stale.json()["details"] == {"base_version": 1, "current_version": 2}
    late = owner.put(path, {"base_version": 2, "markdown": "# B\n"}, if_match=etag)
    assert (late.status_code, late.json()["code"]) == (412, "PRECONDITION_FAILED")


@pytest.mark.parametrize(
    "status", [JobStatus.EDITING, JobStatus.EXPORTING, JobStatus.REGENERATING, JobStatus.DONE]
)
def test_a_document_can_be_saved_while_and_after_it_is_worked_on(owner: Api, status: JobStatus) -> None:
    document = make_document(owner, status)
    assert (
        owner.put(f"/instructions/{document['id']}", {"base_version": 1, "markdown": "# A\n"}).status_code
        == 200
    )
    assert owner.get(f"/jobs/{document['job_id']}").json()["status"] == status


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
def test_the_document_of_an_ended_job_is_read_only(owner: Api, status: JobStatus) -> None:
    document = make_document(owner, status)
    refused = owner.put(f"/instructions/{document['id']}", {"base_version": 1, "markdown": "# A\n"})
    assert (refused.status_code, refused.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"markdown": "a"}, "base_version"),
        ({"base_version": 1}, "markdown"),
        ({"base_version": 0, "markdown": "a"}, "base_version"),
        ({"base_version": 1, "markdown": "a", "odd": 1}, "odd"),
        ({"base_version": 1, "markdown": "a\ud800"}, "body"),
        ({"base_version": 1, "markdown": "a", "\udfff": 1}, "body"),
    ],
)
def test_a_bad_body_names_its_field(owner: Api, body: dict[str, Any], field: str) -> None:
    response = owner.put(f"/instructions/{make_document(owner)['id']}", body)
    assert response.status_code == 400
    assert response.json()["details"]["errors"][0]["field"] == field
    assert InstructionVersion.objects.count() == 1


@pytest.mark.parametrize("markdown", ["a\n\n" * 349_000, "> " * 10_000 + "a"], ids=["paragraphs", "nested"])
def test_a_text_that_is_too_complex_is_refused_at_once(owner: Api, markdown: str) -> None:
    document = make_document(owner)
    began = time.thread_time()
    refused = owner.put(f"/instructions/{document['id']}", {"base_version": 1, "markdown": markdown})
    assert time.thread_time() - began < 1
    assert (refused.status_code, refused.json()["code"]) == (400, "DOCUMENT_TOO_COMPLEX")
    assert InstructionVersion.objects.count() == 1


def test_a_text_over_one_mebibyte_is_413(owner: Api) -> None:
    body = {"base_version": 1, "markdown": "é" * (2**19 + 1)}
    assert owner.put(f"/instructions/{make_document(owner)['id']}", body).status_code == 413


def test_validation_is_noted_and_never_blocks(owner: Api) -> None:
    document = make_document(owner)
    body = {"base_version": 1, "markdown": "No title here.\n"}
    saved = owner.put(f"/instructions/{document['id']}", body).json()
    assert saved["validation_status"] == "FAIL"
    assert {"MISSING_TITLE", "NO_STEPS"} <= {issue["code"] for issue in saved["validation_errors"]}


def test_a_save_reads_what_its_base_rests_on_and_nothing_older(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a client that loses the markers makes each save dearer than the one before."""
    path = f"/instructions/{make_document(owner)['id']}"
    text, read = "# A\n\n## Step 1: b\n\nc\n\n## Step 2: d\n\n", []
    for version in range(1, 6):
        body = {"base_version": version, "markdown": f"{text}{version}\n"}
        assert owner.put(path, body).status_code == 200
    assert StepSource.objects.count() == 12
    monkeypatch.setattr(sources, "read_source", lambda row: read.append(row) or read_source(row))
    assert owner.put(path, {"base_version": 6, "markdown": text}).status_code == 200
    assert len(read) == 2


@pytest.mark.django_db(transaction=True)
def test_of_many_writers_of_one_version_one_wins() -> None:
    owner = Api(make_user("owner"))
    document = make_document(owner)

    def write(number: int) -> int:
        body = {"base_version": 1, "markdown": f"# Writer {number}\n"}
        return owner.put(f"/instructions/{document['id']}", body).status_code

    answers = at_once(16, write)
    assert sorted(answers) == [200] + [409] * 15
    assert InstructionVersion.objects.count() == 2


def test_a_version_is_never_changed(owner: Api) -> None:
    make_document(owner)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        InstructionVersion.objects.update(markdown="other")
