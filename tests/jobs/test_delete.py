"""Deleting a job: everything that hangs on it goes, and a tombstone stays."""

from __future__ import annotations

from typing import Any

import pgtrigger
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now

from anchors.models import ScreenshotTask
from config.storage import kept_folder, storage, uploads_folder
from exports.models import Export
from instructions.models import RegenerateTask
from jobs.models import AuditEvent, Dispatch, Job, PipelineRun, Tombstone
from jobs.services import deletion
from jobs.services.deletion import QUIET_AFTER, remove_files_of_deleted_jobs
from jobs.states import JobStatus
from tests.callbacks import send
from tests.contract import OPEN
from tests.factories import (
    Api,
    force,
    make_anchor,
    make_asset,
    make_export,
    make_job,
    make_regenerate_task,
    make_resolution,
    make_screenshot_task,
)
from tests.pictures import (
    make_activity,
    make_image_upload,
    make_redaction,
    make_redaction_run,
    make_search,
    make_suggestion,
)
from tests.screens import make_screen
from tests.uploads import make_upload_ticket


def full_job(api: Api) -> Job:
    """A finished job with a row of every kind."""
    job = make_job(JobStatus.DRAFT_READY, owner=api.user)
    send(job, "TRANSCRIBING")  # which is refused
    anchor = make_anchor(job)
    first = make_asset(job, anchor=anchor)
    make_asset(job, anchor=anchor, rendered_from=first)
    make_resolution(anchor)
    make_screenshot_task(job, status=ScreenshotTask.SUCCEEDED, anchor=anchor, asset=first)
    make_regenerate_task(job, status=RegenerateTask.SUCCEEDED)
    make_export(job, status=Export.SUCCEEDED)
    PipelineRun.objects.create(
        job=job, owner_id=job.owner_id, dispatch=job.dispatch, status=PipelineRun.SUCCEEDED
    )
    anchor.annotation_requests.create(idempotency_key="key-1", ops_hash="ab" * 32)
    job.model_calls.create(key="ab" * 32, answer={"steps": []})
    make_upload_ticket(job)
    upload = make_image_upload(job, asset=first)
    anchor.attach_requests.create(
        idempotency_key="key-1", upload=upload, instruction_version=job.instruction.versions.get()
    )
    make_activity(job)
    make_screen(job)
    make_search(job, cover=make_redaction(job))
    make_suggestion(job, redaction=make_redaction(job))
    make_redaction_run(job, status="SUCCEEDED")
    storage().save_bytes(uploads_folder(job.pk), b"left from an upload", suffix="")
    return force(job, JobStatus.DONE)


def rows() -> dict[str, int]:
    kept = {"jobs.project", "jobs.tombstone", "jobs.filewalk", "exports.guidetemplate"}
    return {
        model._meta.label_lower: model._default_manager.count()
        for app in ("jobs", "instructions", "anchors", "exports")
        for model in apps.get_app_config(app).get_models()
        if model._meta.label_lower not in kept
    }


def test_a_deleted_job_takes_everything_with_it_and_leaves_a_tombstone(owner: Api) -> None:
    job = full_job(owner)
    assert all(rows().values()), f"full_job lacks a row of some model: {rows()}"
    answer = owner.call("DELETE", f"/jobs/{job.pk}", x_request_id="request-1")
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["Location"] == f"/api/v1/jobs/{job.pk}" and answer.headers["Retry-After"]
    assert not any(rows().values()), rows()
    assert owner.get(f"/jobs/{job.pk}").status_code == 404
    assert owner.call("DELETE", f"/jobs/{job.pk}").status_code == 404
    tombstone = Tombstone.objects.get(job_id=job.pk)
    assert (tombstone.owner_id, tombstone.last_status, tombstone.correlation_id) == (
        owner.user.pk,
        "DONE",
        "request-1",
    )


def test_the_files_go_with_the_sweep_and_a_late_one_too(owner: Api) -> None:
    job, other = full_job(owner), make_job(JobStatus.UPLOADED, owner=owner.user)
    assert owner.call("DELETE", f"/jobs/{job.pk}").status_code == 202
    remove_files_of_deleted_jobs()
    root = storage().root
    assert not (root / kept_folder(job.pk)).exists() and not (root / uploads_folder(job.pk)).exists()
    storage().save_bytes(kept_folder(job.pk), b"a worker was still busy", suffix="")
    with pgtrigger.ignore("jobs.Tombstone:tombstone_is_written_once"):
        Tombstone.objects.update(deleted_at=Now() - QUIET_AFTER)
    remove_files_of_deleted_jobs()
    assert not (root / kept_folder(job.pk)).exists()
    assert Tombstone.objects.get().files_removed_at
    assert storage().size(other.artifacts.get(kind="video").uri)


def test_what_one_sweep_does_not_reach_is_left_for_the_next(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "MAX_FOLDERS", 2)
    jobs = [full_job(owner) for _ in range(3)]
    for job in jobs:
        assert owner.call("DELETE", f"/jobs/{job.pk}").status_code == 202
    with pgtrigger.ignore("jobs.Tombstone:tombstone_is_written_once"):
        Tombstone.objects.update(deleted_at=Now() - QUIET_AFTER)
    remove_files_of_deleted_jobs()
    assert Tombstone.objects.filter(files_removed_at=None).count() == 1
    remove_files_of_deleted_jobs()
    assert not any((storage().root / kept_folder(job.pk)).exists() for job in jobs)


@pytest.mark.parametrize("status", OPEN)
def test_a_job_that_is_not_over_is_not_deleted(owner: Api, status: str) -> None:
    job = make_job(status, owner=owner.user)
    before = rows()
    answer = owner.call("DELETE", f"/jobs/{job.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "FSM_TRANSITION_INVALID")
    details = answer.json()["details"]
    assert (details["current_status"], details["attempted_status"]) == (status, "DELETED")
    assert rows() == before


def test_a_failed_job_with_a_retry_on_its_way_is_not_deleted(owner: Api) -> None:
    job = force(make_job(JobStatus.TRANSCRIBING, owner=owner.user), JobStatus.FAILED)
    answer = owner.call("DELETE", f"/jobs/{job.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "FSM_TRANSITION_INVALID")
    Dispatch.objects.filter(job=job).update(status="CLOSED")
    assert owner.call("DELETE", f"/jobs/{job.pk}").status_code == 202


@pytest.mark.django_db(transaction=True)
def test_after_a_deletion_the_triggers_hold_again(owner: Api) -> None:
    job, other = full_job(owner), make_job(JobStatus.DRAFT_READY, owner=owner.user)
    assert owner.call("DELETE", f"/jobs/{job.pk}").status_code == 202
    with pytest.raises(DatabaseError, match="append-only"):
        AuditEvent.objects.filter(job=other).delete()


@pytest.mark.parametrize(
    "statement", ["DELETE FROM jobs_tombstone", "UPDATE jobs_tombstone SET last_status = 'X'"]
)
def test_a_tombstone_stays(owner: Api, statement: str) -> None:
    owner.call("DELETE", f"/jobs/{full_job(owner).pk}")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_its_key_can_make_a_new_job(owner: Api) -> None:
    project = owner.post("/projects", {"name": "p"}).json()["id"]
    first = owner.post(f"/projects/{project}/jobs", {}, idempotency_key="k").json()["id"]
    owner.post(f"/jobs/{first}/cancel")
    assert owner.call("DELETE", f"/jobs/{first}").status_code == 202
    second: Any = owner.post(f"/projects/{project}/jobs", {}, idempotency_key="k")
    assert second.status_code == 201 and second.json()["id"] != first
