"""Having a passage rewritten: the request, its answer, the version that comes of it, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from instructions.models import InstructionVersion, RegenerateTask
from instructions.passages import MAX_PASSAGE
from jobs.models import AuditEvent, Job
from jobs.states import JobStatus
from tests.factories import Api, force, make_export, make_job
from tests.instructions.asking import (
    WRITTEN,
    block_id,
    done,
    newest,
    regenerate,
    request_rewriting,
    spoken_job,
    wanted,
)
from tests.jobs.seen import status_of

MISSING = "01a20000-0000-7000-8000-00000000abcd"
SECRET = "Mention the violet umbrella."


@pytest.fixture
def job(owner: Api) -> Job:
    return spoken_job(owner)


def test_a_paragraph_is_rewritten_and_nothing_else(owner: Api, job: Job) -> None:
    before = newest(job)
    asked = regenerate(owner, job)
    assert (asked.status_code, status_of(job)) == (202, "REGENERATING")
    task = asked.json()
    assert asked.headers["Location"] == f"/api/v1/tasks/{task['id']}" and int(asked.headers["Retry-After"])
    assert (task["status"], task["progress_pct"], task["replayed"]) == ("PENDING", 0, False)
    assert not {"instruction_version", "failure_code", "failure_message", "failed_stage"} & set(task)
    ended = done(owner, task)
    assert (ended["status"], ended["progress_pct"], ended["instruction_version"]) == ("SUCCEEDED", 100, 3)
    assert status_of(job) == "EDITING"
    after = newest(job)
    assert after.markdown == before.markdown.replace(
        "So now we're gonna click on the the New button.", WRITTEN
    )
    assert (after.source, after.created_by) == ("regenerate", str(owner.user.pk))
    assert [block.block_id for block in after.read_blocks()] == [
        block.block_id for block in before.read_blocks()
    ]


def test_a_whole_step_keeps_its_blocks_its_span_and_its_place(owner: Api, job: Job) -> None:
    before, step = newest(job), block_id(job, "step")
    ended = done(owner, request_rewriting(owner, job, selection={"block_id": step}))
    assert ended["status"] == "SUCCEEDED"
    blocks = {block.block_id: block for block in newest(job).read_blocks()}
    assert list(blocks) == [block.block_id for block in before.read_blocks()]
    assert (blocks[step].start_ms, blocks[step].end_ms) == (0, 2000)
    text = newest(job).markdown[blocks[step].start_offset : blocks[step].end_offset]
    assert WRITTEN in text and "Wait." in text
    assert "So we type the name." in newest(job).markdown


def test_a_range_of_characters_is_rewritten(owner: Api, job: Job) -> None:
    markdown = newest(job).markdown
    start = markdown.index("And um we wait.")
    place = {"start_offset": start, "end_offset": start + len("And um we wait.")}
    ended = done(owner, request_rewriting(owner, job, selection={"char_range": place}))
    assert ended["provenance"]["selection"] == {"char_range": place}
    assert newest(job).markdown == markdown.replace("And um we wait.", "Wait.")


def test_the_first_rewriting_opens_the_document(owner: Api) -> None:
    job = make_job(JobStatus.DRAFT_READY, owner=owner.user)
    done(owner, request_rewriting(owner, job))
    assert status_of(job) == "EDITING"
    changes = job.events.order_by("id").values_list("event_type", "prev_status", "new_status", "actor_type")
    assert list(changes)[-3:] == [
        ("JOB_DOCUMENT_OPENED", "DRAFT_READY", "EDITING", "editor"),
        ("JOB_REGENERATE_STARTED", "EDITING", "REGENERATING", "editor"),
        ("JOB_REGENERATE_FINISHED", "REGENERATING", "EDITING", "system"),
    ]


def test_words_that_stay_as_they_are_make_no_version(owner: Api) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    ended = done(owner, request_rewriting(owner, job))
    assert (ended["status"], ended["instruction_version"]) == ("SUCCEEDED", 1)
    assert InstructionVersion.objects.count() == 1 and status_of(job) == "EDITING"


def test_the_document_of_a_done_job_is_rewritten_and_it_stays_done(owner: Api) -> None:
    job = spoken_job(owner, JobStatus.DONE)
    make_export(job)
    task = request_rewriting(owner, job)
    assert status_of(job) == "DONE"
    revision = Job.objects.get(pk=job.pk).revision
    assert done(owner, task)["instruction_version"] == 3
    assert status_of(job) == "DONE" and Job.objects.get(pk=job.pk).revision > revision
    events = job.events.filter(event_type__startswith="JOB_REGENERATE").order_by("id")
    assert [(event.event_type, event.new_status, event.data) for event in events] == [
        ("JOB_REGENERATE_STARTED", "", {"task_id": str(task.pk)}),
        ("JOB_REGENERATE_FINISHED", "", {"task_id": str(task.pk), "version": 3}),
    ]


def test_the_provenance_is_complete_and_the_version_says_what_wrote_it(owner: Api, job: Job) -> None:
    names = {"model_profile": "extractive", "prompt_template_id": "rules-1", "prompt_params_ref": "params/7"}
    task = request_rewriting(owner, job, context=SECRET, **names)
    shown = done(owner, task)
    assert shown["provenance"] == {
        "instruction_id": str(job.instruction_id),
        "base_version": 2,
        "selection": task.selection,
        "requested_by": str(owner.user.pk),
        "requested_at": shown["requested_at"],
        **names,
    }
    document = owner.get(f"/instructions/{job.instruction_id}").json()
    assert document["model_profile_id"] == "extractive"
    assert (document["prompt_template_id"], document["prompt_params_ref"]) == ("rules-1", "params/7")


def test_the_same_request_is_the_same_task(owner: Api, job: Job) -> None:
    body = wanted(job, context=SECRET)
    path = f"/instructions/{job.instruction_id}/regenerate"
    first, again = owner.post(path, body), owner.post(path, body)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {**first.json(), "replayed": True}
    assert "Location" not in again.headers
    done(owner, first.json())
    late = owner.post(path, {**body, "selection": {"block_id": body["selection"]["block_id"].upper()}})
    assert (late.status_code, late.json()["id"], late.json()["status"]) == (
        200,
        first.json()["id"],
        "SUCCEEDED",
    )
    force(job, JobStatus.CANCELLED)
    assert owner.post(path, body).status_code == 200, (
        "a replay says what was asked before, whatever became of it"
    )
    assert RegenerateTask.objects.count() == 1
    assert "replayed" in owner.get(f"/tasks/{first.json()['id']}").json()


@pytest.mark.parametrize("changed", [{"context": "Other."}, {"prompt_params_ref": "r"}, {"base_version": 1}])
def test_an_id_that_was_used_for_another_request_is_409(
    owner: Api, job: Job, changed: dict[str, Any]
) -> None:
    body = {**wanted(job), "selection": {"char_range": {"start_offset": 54, "end_offset": 59}}}
    path = f"/instructions/{job.instruction_id}/regenerate"
    assert owner.post(path, body).status_code == 202
    reused = owner.post(path, {**body, **changed})
    assert (reused.status_code, reused.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_while_one_passage_is_rewritten_another_is_409(owner: Api, job: Job) -> None:
    task = request_rewriting(owner, job)
    busy = regenerate(owner, job)
    assert (busy.status_code, busy.json()["code"]) == (409, "REGENERATE_IN_PROGRESS")
    assert busy.json()["details"] == {"active_task_id": str(task.pk)}
    done(owner, task)
    assert regenerate(owner, job).status_code == 202


def test_an_old_base_version_is_409(owner: Api, job: Job) -> None:
    stale = regenerate(
        owner, job, base_version=1, selection={"char_range": {"start_offset": 54, "end_offset": 59}}
    )
    assert (stale.status_code, stale.json()["code"]) == (409, "VERSION_CONFLICT")
    assert stale.json()["details"] == {"base_version": 1, "current_version": 2}
    assert status_of(job) == "EDITING"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (JobStatus.EXPORTING, "FSM_TRANSITION_INVALID"),
        (JobStatus.GENERATING, "FSM_TRANSITION_INVALID"),
        (JobStatus.FAILED, "FSM_TERMINAL_IMMUTABLE"),
        (JobStatus.CANCELLED, "FSM_TERMINAL_IMMUTABLE"),
    ],
)
def test_in_the_wrong_state_nothing_is_rewritten(owner: Api, job: Job, status: JobStatus, code: str) -> None:
    force(job, status)
    refused = regenerate(owner, job)
    assert (refused.status_code, refused.json()["code"]) == (409, code)
    assert refused.json()["details"]["current_status"] == status
    assert not RegenerateTask.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"selection": {"block_id": MISSING}}, "selection.block_id"),
        ({"selection": {"block_id": "odd"}}, "selection.block_id"),
        ({"selection": {}}, "selection"),
        (
            {"selection": {"char_range": {"start_offset": 54, "end_offset": 59}, "block_id": MISSING}},
            "selection",
        ),
        ({"selection": {"char_range": {"start_offset": 5, "end_offset": 5}}}, "selection.char_range"),
        ({"selection": {"char_range": {"start_offset": 0, "end_offset": 10**6}}}, "selection.char_range"),
        ({"selection": {"char_range": {"start_offset": 10**6, "end_offset": 10**7}}}, "selection.char_range"),
        ({"selection": {"char_range": {"start_offset": 59, "end_offset": 54}}}, "selection.char_range"),
        ({"selection": {"char_range": {"start_offset": 0, "end_offset": 9}}}, "selection.char_range"),
        (
            {"selection": {"char_range": {"start_offset": -1, "end_offset": 9}}},
            "selection.char_range.start_offset",
        ),
        ({"selection": {"char_range": {"start_offset": 1}}}, "selection.char_range.end_offset"),
        (
            {"selection": {"char_range": {"start_offset": True, "end_offset": 9}}},
            "selection.char_range.start_offset",
        ),
        ({"selection": {"text": "Guide"}}, "selection.text"),
        ({"selection": None}, "selection"),
        ({"base_version": 0}, "base_version"),
        ({"base_version": 3}, "base_version"),
        ({"client_request_id": None}, "client_request_id"),
        ({"client_request_id": "a b"}, "client_request_id"),
        ({"context": "x" * 2001}, "context"),
        ({"context": ""}, "context"),
        ({"context": "a\ud800"}, "body"),
        ({"model_profile": "odd"}, "model_profile"),
        ({"prompt_template_id": "odd"}, "prompt_template_id"),
        ({"prompt_params_ref": "r" * 256}, "prompt_params_ref"),
        ({"odd": 1}, "odd"),
    ],
)
def test_a_bad_request_names_its_field_and_writes_nothing(
    owner: Api, job: Job, changed: dict[str, Any], field: str
) -> None:
    events = AuditEvent.objects.count()
    response = regenerate(owner, job, **changed)
    assert response.status_code == 400, response.content
    assert response.json()["details"]["errors"][0]["field"] == field
    assert not RegenerateTask.objects.exists()
    assert (AuditEvent.objects.count(), status_of(job)) == (events, "EDITING")


def test_another_profile_is_refused_and_those_that_are_here_are_named(owner: Api, job: Job) -> None:
    (error,) = regenerate(owner, job, model_profile="odd").json()["details"]["errors"]
    assert (error["code"], error["message"]) == ("invalid_choice", "One of: extractive.")


def test_regenerate_takes_our_profiles_whatever_an_orchestrator_has() -> None:
    code = """
import django
django.setup()
from instructions.api.serializers import RegenerateBody
from jobs.api.options import choices
from jobs.api.serializers import JobOptionsBody
def taken(field):
    return list(field.choices)
print(taken(RegenerateBody().fields["model_profile"]), taken(JobOptionsBody().fields["model_profile"]))
print(choices()["model_profiles"])
"""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STEPWRIGHT_ORCHESTRATOR": "http",
        "STEPWRIGHT_ORCHESTRATOR_URL": "http://127.0.0.1:1/",
    }
    for named, expected in (
        ("fast,thorough", "['extractive'] ['fast', 'thorough']\n['fast', 'thorough', 'extractive']\n"),
        ("fast,extractive", "['extractive'] ['fast', 'extractive']\n['fast', 'extractive']\n"),
    ):
        elsewhere = environment | {"STEPWRIGHT_MODEL_PROFILES": named}
        ran = subprocess.run([sys.executable, "-c", code], env=elsewhere, capture_output=True, text=True)
        assert ran.stdout == expected, ran.stderr


def test_a_passage_that_is_too_long_is_400(owner: Api, job: Job) -> None:
    text = "# Guide\n\n" + "word " * (MAX_PASSAGE // 5 + 1)
    owner.put(f"/instructions/{job.instruction_id}", {"base_version": 2, "markdown": text})
    response = regenerate(owner, job)
    assert (response.status_code, response.json()["details"]["errors"][0]["code"]) == (400, "too_long")
