"""Step edits over HTTP: one new version for all operations of a call, or none."""

from __future__ import annotations

import time
from typing import Any

import pytest

from instructions.models import InstructionVersion, StepSource
from jobs.models import AuditEvent, Job
from jobs.states import JobStatus
from tests.factories import Api
from tests.instructions.documents import make_document

UNKNOWN = "0190a000-0000-7000-8000-0000000000ff"
FIRST, SECOND, TITLE = "the first step", "the second step", "the title"
RENAME = {"op": "set_title", "block_id": FIRST, "title": "Press New"}
PARAGRAPHS, NESTED = "a\n\n" * 350_000, "> " * 10_000 + "a"


def named(document: dict[str, Any], value: Any) -> Any:
    """Return operations with the ids of blocks in place of their names above."""
    steps = [block["block_id"] for block in document["blocks"] if block["kind"] == "step"]
    ids = {FIRST: steps[0], SECOND: steps[1], TITLE: document["blocks"][0]["block_id"]}
    if isinstance(value, dict):
        return {name: named(document, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [named(document, inner) for inner in value]
    return ids.get(value, value) if isinstance(value, str) else value


def edit(api: Api, document: dict[str, Any], *operations: dict[str, Any], **changed: Any) -> Any:
    body = {"base_version": 1, "operations": named(document, list(operations)), **changed}
    return api.post(f"/instructions/{document['id']}/edits", body)


def written() -> tuple[int, int, int, list[str]]:
    """Return what a call that is refused leaves as it is."""
    counts = (model.objects.count() for model in (InstructionVersion, StepSource, AuditEvent))
    return (*counts, list(Job.objects.values_list("status", flat=True)))  # type: ignore[return-value]


def test_operations_of_a_call_make_one_version_with_its_times(owner: Api) -> None:
    document = make_document(owner)
    new = {"op": "insert_step", "after": FIRST, "title": "Wait", "start_ms": 1500, "end_ms": 1900}
    edited = edit(owner, document, RENAME, new)
    assert (edited.status_code, edited.json()["version"]) == (200, 2)
    assert edited.headers["ETag"] == owner.get(f"/instructions/{document['id']}").headers["ETag"]
    steps = owner.get(f"/instructions/{document['id']}/steps").json()
    assert [(step["number"], step["title"], step["start_ms"], step["end_ms"]) for step in steps] == [
        (1, "Press New", 0, 2000),
        (2, "Wait", 1500, 1900),
        (3, "Type the name", 2000, 4000),
    ]
    assert owner.get(f"/jobs/{document['job_id']}").json()["status"] == "EDITING"
    events = AuditEvent.objects.filter(event_type="INSTRUCTION_EDITED")
    assert [event.data for event in events] == [{"version": 2}]


def test_operations_that_change_nothing_write_no_version(owner: Api) -> None:
    document = make_document(owner)
    again = edit(owner, document, {"op": "move_step", "block_id": FIRST, "after": None})
    assert (again.status_code, again.json()["version"]) == (200, 1)
    assert InstructionVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("operation", "field", "code"),
    [
        ({**RENAME, "block_id": UNKNOWN}, "block_id", "unknown_block"),
        ({**RENAME, "block_id": "odd"}, "block_id", "invalid"),
        ({**RENAME, "block_id": SECOND}, "block_id", "deleted_block"),
        ({"op": "delete_step", "block_id": UNKNOWN}, "block_id", "unknown_block"),
        ({"op": "delete_step", "block_id": SECOND}, "block_id", "deleted_block"),
        ({"op": "delete_step", "block_id": TITLE}, "block_id", "not_a_step"),
        ({"op": "replace_block", "block_id": UNKNOWN, "markdown": "a"}, "block_id", "unknown_block"),
        ({"op": "replace_block", "block_id": SECOND, "markdown": "a"}, "block_id", "deleted_block"),
        ({"op": "insert_step", "after": UNKNOWN, "title": "a"}, "after", "unknown_block"),
        ({"op": "insert_step", "after": SECOND, "title": "a"}, "after", "deleted_block"),
        ({"op": "insert_step", "after": FIRST, "title": "a", "start_ms": 1}, "end_ms", "required"),
        (
            {"op": "insert_step", "after": FIRST, "title": "a", "start_ms": 2, "end_ms": 1},
            "end_ms",
            "invalid",
        ),
        ({"op": "move_step", "block_id": FIRST, "after": SECOND}, "after", "deleted_block"),
        ({"op": "merge_steps", "block_ids": [FIRST, UNKNOWN]}, "block_ids.1", "unknown_block"),
        ({"op": "merge_steps", "block_ids": [FIRST, SECOND]}, "block_ids.1", "deleted_block"),
        ({"op": "merge_steps", "block_ids": [FIRST]}, "block_ids", "min_length"),
        ({"op": "split_step", "block_id": FIRST, "at": UNKNOWN, "title": "a"}, "at", "unknown_block"),
        ({**RENAME, "title": " "}, "title", "blank"),
        ({**RENAME, "title": "a\nb"}, "title", "invalid"),
        ({**RENAME, "odd": 1}, "odd", "unknown_field"),
        ({"op": "odd"}, "op", "invalid_choice"),
    ],
)
def test_a_bad_operation_names_its_field_and_none_is_made(
    owner: Api, operation: dict[str, Any], field: str, code: str
) -> None:
    """It stands behind one that is right and deletes the second step."""
    document = make_document(owner)
    before = written()
    refused = edit(owner, document, {"op": "delete_step", "block_id": SECOND}, operation)
    assert (refused.status_code, refused.json()["code"]) == (400, "VALIDATION_ERROR")
    error = refused.json()["details"]["errors"][0]
    assert (error["field"], error["code"]) == (f"operations.1.{field}", code)
    assert written() == before


@pytest.mark.parametrize("markdown", [PARAGRAPHS, NESTED], ids=["paragraphs", "nested"])
@pytest.mark.parametrize(
    "operation",
    [{"op": "replace_block", "block_id": TITLE}, {"op": "insert_step", "after": None, "title": "New"}],
    ids=["replace", "insert"],
)
def test_markdown_that_is_too_complex_is_refused_at_once(
    owner: Api, operation: dict[str, Any], markdown: str
) -> None:
    document = make_document(owner)
    before, began = written(), time.thread_time()
    refused = edit(owner, document, RENAME, {**operation, "markdown": markdown})
    assert time.thread_time() - began < 3  # some 0.5 s on a machine that does nothing else
    assert (refused.status_code, refused.json()["code"]) == (400, "DOCUMENT_TOO_COMPLEX")
    assert [error["field"] for error in refused.json()["details"]["errors"]] == ["operations.1.markdown"]
    assert written() == before


def test_operations_that_are_too_complex_together_are_refused(owner: Api) -> None:
    document = make_document(owner)
    before, began = written(), time.thread_time()
    half = {"op": "insert_step", "after": None, "title": "New", "markdown": "a\n\n" * 3000}
    refused = edit(owner, document, half, half)
    assert time.thread_time() - began < 5
    assert (refused.status_code, refused.json()["code"]) == (400, "DOCUMENT_TOO_COMPLEX")
    assert written() == before


@pytest.mark.parametrize(
    "operation",
    [
        {**RENAME, "title": "a\udfff"},
        {"op": "insert_step", "after": None, "title": "a", "markdown": "b\ud800"},
        {**RENAME, "\ud800": 1},
    ],
)
def test_lone_surrogates_are_no_json_of_ours(owner: Api, operation: dict[str, Any]) -> None:
    document = make_document(owner)
    before = written()
    refused = edit(owner, document, RENAME, operation)
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["details"]["errors"]] == ["body"]
    assert written() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"base_version": 0}, "base_version"),
        ({"base_version": "1"}, "base_version"),
        ({"operations": []}, "operations"),
        ({"operations": [RENAME] * 101}, "operations"),
        ({"operations": {}}, "operations"),
        ({"operations": [1]}, "operations.0"),
        ({"operations": [{}]}, "operations.0.op"),
        ({"odd": 1}, "odd"),
    ],
)
def test_a_bad_body_names_its_field(owner: Api, body: dict[str, Any], field: str) -> None:
    document = make_document(owner)
    before = written()
    refused = edit(owner, document, RENAME, **named(document, body))
    assert refused.status_code == 400
    assert refused.json()["details"]["errors"][0]["field"] == field
    assert written() == before


def test_a_base_that_is_not_the_newest_is_the_conflict_of_a_save(owner: Api) -> None:
    document = make_document(owner)
    assert edit(owner, document, RENAME).json()["version"] == 2
    before = written()
    refused = edit(owner, document, RENAME, base_version=1)
    saved = owner.put(f"/instructions/{document['id']}", {"base_version": 1, "markdown": "# A\n"})
    assert (refused.status_code, saved.status_code) == (409, 409)
    assert refused.json()["code"] == saved.json()["code"] == "VERSION_CONFLICT"
    details = {"base_version": 1, "current_version": 2}
    assert refused.json()["details"] == saved.json()["details"] == details
    assert written() == before


@pytest.mark.parametrize("base_version", [2, 2**31 - 1])
def test_a_base_from_the_future_is_a_400_with_the_field(owner: Api, base_version: int) -> None:
    document = make_document(owner)
    before = written()
    path = f"/instructions/{document['id']}"
    for answer in (
        edit(owner, document, RENAME, base_version=base_version),
        owner.put(path, {"base_version": base_version, "markdown": "# A\n"}),
        owner.post(f"{path}/restore", {"base_version": base_version, "version": 1}),
    ):
        (error,) = answer.json()["details"]["errors"]
        assert (answer.status_code, error["field"], error["code"]) == (400, "base_version", "not_found")
    assert written() == before


@pytest.mark.parametrize("stale", ['"odd"', "W/{etag}", "odd"])
def test_a_stale_or_weak_if_match_is_412(owner: Api, stale: str) -> None:
    document = make_document(owner)
    body = {"base_version": 1, "operations": named(document, [RENAME])}
    path = f"/instructions/{document['id']}/edits"
    before = written()
    etag = owner.get(f"/instructions/{document['id']}").headers["ETag"]
    assert owner.post(path, body, if_match=stale.format(etag=etag)).status_code == 412
    assert written() == before


@pytest.mark.parametrize("fresh", ["{etag}", '"odd", {etag}', "*"])
def test_an_if_match_that_names_the_newest_is_taken(owner: Api, fresh: str) -> None:
    document = make_document(owner)
    etag = owner.get(f"/instructions/{document['id']}").headers["ETag"]
    body = {"base_version": 1, "operations": named(document, [RENAME])}
    path = f"/instructions/{document['id']}/edits"
    assert owner.post(path, body, if_match=fresh.format(etag=etag)).status_code == 200


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
def test_the_steps_of_an_ended_job_are_read_only(owner: Api, status: JobStatus) -> None:
    document = make_document(owner, status)
    before = written()
    refused = edit(owner, document, RENAME)
    assert (refused.status_code, refused.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")
    assert written() == before
