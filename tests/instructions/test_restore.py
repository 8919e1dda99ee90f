"""An older version taken back: its text, what its steps rested on then, and who wins."""

from __future__ import annotations

from typing import Any

import pytest

from instructions.models import Instruction, InstructionVersion, StepSource
from instructions.services.sources import evidence_of
from instructions.services.versions import PROVENANCE
from jobs.models import AuditEvent, Job
from jobs.states import JobStatus
from tests.factories import Api, force, make_user, report
from tests.instructions.documents import make_document
from tests.races import at_once

OTHER = "# Another\n\n## Step 1: Wait\n\nWait.\n"


def make_changed_document(api: Api, status: JobStatus = JobStatus.DRAFT_READY) -> dict[str, Any]:
    """A draft that was written anew by hand, so that it has two versions; as its first shows it."""
    document = make_document(api)
    body = {"base_version": 1, "markdown": OTHER}
    assert api.put(f"/instructions/{document['id']}", body).status_code == 200
    force(Job.objects.get(pk=document["job_id"]), status)
    return document


def restore(api: Api, document: dict[str, Any], version: int, base_version: int, **headers: str) -> Any:
    body = {"version": version, "base_version": base_version}
    return api.post(f"/instructions/{document['id']}/restore", body, **headers)


def version_of(document: dict[str, Any], number: int) -> InstructionVersion:
    return InstructionVersion.objects.get(instruction=document["id"], version=number)


def test_the_text_of_an_older_version_becomes_the_newest(owner: Api) -> None:
    document = make_changed_document(owner)
    answer = restore(owner, document, 1, 2)
    assert answer.status_code == 200
    restored = answer.json()
    assert (restored["version"], restored["markdown"]) == (3, document["markdown"])
    assert restored["blocks"] == document["blocks"]
    assert answer.headers["ETag"] == owner.get(f"/instructions/{document['id']}").headers["ETag"]
    versions = owner.get(f"/instructions/{document['id']}/versions").json()
    assert [version["source"] for version in versions] == ["restore", "edit", "draft"]
    assert versions[0]["created_by"] == str(owner.user.pk)


def test_what_steps_rested_on_comes_back_where_the_text_is_there(owner: Api) -> None:
    document = make_changed_document(owner)
    path = f"/instructions/{document['id']}"
    by_hand = {"base_version": 2, "markdown": document["markdown"]}
    assert owner.put(path, by_hand).json()["markdown"] == document["markdown"]
    assert evidence_of(version_of(document, 3)) != evidence_of(version_of(document, 1))
    assert restore(owner, document, 1, 3).json()["version"] == 4
    assert evidence_of(version_of(document, 4)) == evidence_of(version_of(document, 1))
    assert restore(owner, document, 1, 4).json()["version"] == 4, "there is nothing left to bring back"


def test_restoring_is_noted_with_both_versions(owner: Api) -> None:
    document = make_changed_document(owner)
    restore(owner, document, 1, 2)
    event = AuditEvent.objects.filter(job=document["job_id"]).latest("pk")
    assert (event.event_type, event.actor_type) == ("INSTRUCTION_RESTORED", "editor")
    assert event.data == {"version": 3, "restored_version": 1}


def test_steps_rest_on_what_they_rested_on_in_that_version(owner: Api) -> None:
    document = make_document(owner)
    path = f"/instructions/{document['id']}"
    step = next(block for block in document["blocks"] if block["kind"] == "step")
    known = evidence_of(version_of(document, 1))
    without_times = document["markdown"].replace(" (0:00–0:02)", "").replace(" (0:02–0:04)", "")
    assert owner.put(path, {"base_version": 1, "markdown": without_times}).status_code == 200
    StepSource.objects.create(  # as when the step was written anew from elsewhere
        instruction=Instruction.objects.get(),
        version=2,
        block_id=step["block_id"],
        kind="generated",
        segments=[1],
    )
    assert evidence_of(version_of(document, 2)) != known
    restored = restore(owner, document, 1, 2).json()
    assert evidence_of(version_of(document, 3)) == known
    assert evidence_of(version_of(document, 2)) != known
    assert [block.get("start_ms") for block in restored["blocks"]] == [
        block.get("start_ms") for block in document["blocks"]
    ]


def test_provenance_is_that_of_the_version_taken_back(owner: Api) -> None:
    document = make_changed_document(owner)
    job = force(Job.objects.get(pk=document["job_id"]), JobStatus.GENERATING)
    made_by = dict.fromkeys(PROVENANCE, "") | {"model_profile_id": "m-2", "prompt_template_id": "p-2"}
    report(job, JobStatus.DRAFT_READY, draft={"markdown": "# Second draft\n", **made_by})
    assert owner.get(f"/instructions/{document['id']}").json()["model_profile_id"] == "m-2"
    assert restore(owner, document, 1, 3).json()["model_profile_id"] is None
    again = restore(owner, document, 3, 4).json()
    assert (again["model_profile_id"], again["prompt_template_id"]) == ("m-2", "p-2")


def test_the_newest_text_is_returned_as_it_is(owner: Api) -> None:
    document = make_changed_document(owner)
    answer = restore(owner, document, 2, 2)
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert InstructionVersion.objects.count() == 2
    assert not AuditEvent.objects.filter(event_type="INSTRUCTION_RESTORED").exists()


def test_restoring_opens_the_document(owner: Api) -> None:
    document = make_changed_document(owner)
    assert restore(owner, document, 1, 2).status_code == 200
    assert owner.get(f"/jobs/{document['job_id']}").json()["status"] == "EDITING"


@pytest.mark.parametrize(
    "status", [JobStatus.EDITING, JobStatus.EXPORTING, JobStatus.REGENERATING, JobStatus.DONE]
)
def test_a_version_is_taken_back_while_and_after_it_is_worked_on(owner: Api, status: JobStatus) -> None:
    document = make_changed_document(owner, status)
    assert restore(owner, document, 1, 2).status_code == 200
    assert owner.get(f"/jobs/{document['job_id']}").json()["status"] == status


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (JobStatus.GENERATING, "FSM_TRANSITION_INVALID"),
        (JobStatus.FAILED, "FSM_TERMINAL_IMMUTABLE"),
        (JobStatus.CANCELLED, "FSM_TERMINAL_IMMUTABLE"),
    ],
)
def test_nothing_is_taken_back_in_a_wrong_state(owner: Api, status: JobStatus, code: str) -> None:
    refused = restore(owner, make_changed_document(owner, status), 1, 2)
    assert (refused.status_code, refused.json()["code"]) == (409, code)
    assert InstructionVersion.objects.count() == 2


def test_an_old_base_is_a_conflict(owner: Api) -> None:
    refused = restore(owner, make_changed_document(owner), 1, 1)
    assert (refused.status_code, refused.json()["code"]) == (409, "VERSION_CONFLICT")
    assert refused.json()["details"] == {"base_version": 1, "current_version": 2}
    assert InstructionVersion.objects.count() == 2


def test_a_stale_if_match_is_412_and_a_fresh_one_is_taken(owner: Api) -> None:
    document = make_changed_document(owner)
    stale = owner.get(f"/instructions/{document['id']}?version=1").headers["ETag"]
    refused = restore(owner, document, 1, 2, if_match=stale)
    assert (refused.status_code, refused.json()["code"]) == (412, "PRECONDITION_FAILED")
    fresh = owner.get(f"/instructions/{document['id']}").headers["ETag"]
    assert restore(owner, document, 1, 2, if_match=fresh).status_code == 200


@pytest.mark.parametrize("version", [3, 2**31 - 1])
def test_a_version_that_is_not_there_is_400(owner: Api, version: int) -> None:
    refused = restore(owner, make_changed_document(owner), version, 2)
    assert (refused.status_code, refused.json()["code"]) == (400, "VALIDATION_ERROR")
    (error,) = refused.json()["details"]["errors"]
    assert (error["field"], error["code"]) == ("version", "not_found")
    assert InstructionVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"version", "base_version"}),
        ({"version": 0, "base_version": 2**31}, {"version", "base_version"}),
        ({"version": "1", "base_version": 2}, {"version"}),
        ({"version": 1, "base_version": 2, "markdown": "a"}, {"markdown"}),
    ],
)
def test_a_bad_body_names_its_fields(owner: Api, body: dict[str, Any], fields: set[str]) -> None:
    refused = owner.post(f"/instructions/{make_changed_document(owner)['id']}/restore", body)
    assert refused.status_code == 400
    assert {error["field"] for error in refused.json()["details"]["errors"]} == fields
    assert InstructionVersion.objects.count() == 2


def test_a_stranger_takes_nothing_back(owner: Api, stranger: Api) -> None:
    assert restore(stranger, make_changed_document(owner), 1, 2).status_code == 404
    assert InstructionVersion.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_many_who_restore_and_save_on_one_base_one_wins() -> None:
    owner = Api(make_user("owner"))
    document = make_changed_document(owner)

    def write(number: int) -> int:
        if number % 2:
            status: int = restore(owner, document, 1, 2).status_code
        else:
            body = {"base_version": 2, "markdown": f"# Writer {number}\n"}
            status = owner.put(f"/instructions/{document['id']}", body).status_code
        return status

    assert sorted(at_once(16, write)) == [200] + [409] * 15
    numbers = InstructionVersion.objects.order_by("version").values_list("version", flat=True)
    assert list(numbers) == [1, 2, 3]
