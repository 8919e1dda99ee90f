"""Editors beside a backfill: they wait behind none of it, and it takes nothing of what they may have."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from config.api.errors import ApiError
from config.work.lanes import Lane
from exports.models import Export
from exports.services.bulk_requests import request_all
from exports.services.selection import Wanted
from jobs.models import Job
from jobs.services.quota import used_bytes
from jobs.states import JobStatus
from tests.errors import assert_shape
from tests.exports.operating import call, finished_job
from tests.factories import Api, force, make_export, make_job


def ask(api: Api, job: Job, format: str = "MD_ZIP") -> Any:
    version = job.instruction.versions.latest("version")
    return api.post(f"/jobs/{job.pk}/exports", {"format": format, "instruction_version_id": str(version.pk)})


def in_bulk(job: Job, format: str = "MD_ZIP") -> Export:
    version = job.instruction.versions.latest("version")
    (asked,) = request_all([Wanted(job, version, format)], correlation_id="run")
    if isinstance(asked, ApiError):
        raise asked
    return Export.objects.get(pk=asked.pk)


@pytest.mark.parametrize(("lane", "status"), [(Lane.EXPORT_BACKFILL, 202), (Lane.EXPORTS, 429)])
def test_what_a_backfill_has_open_counts_into_no_limit(owner: Api, lane: Lane, status: int) -> None:
    job = finished_job(owner.user)
    for _ in range(Export.MAX_OPEN_PER_OWNER):
        make_export(job)
    Export.objects.update(lane=lane)
    assert ask(owner, job).status_code == status


def test_who_asks_for_what_a_backfill_has_open_does_not_wait_for_it(owner: Api) -> None:
    job = finished_job(owner.user)
    waiting, running = in_bulk(job), in_bulk(job, "PDF")
    assert Export.claim(running.pk)
    assert [ask(owner, job, format).status_code for format in ("MD_ZIP", "PDF")] == [200, 200]
    assert set(Export.objects.values_list("lane", flat=True)) == {Lane.EXPORTS}
    assert Export.claim_next(Lane.EXPORTS) == waiting


def test_a_backfill_leaves_what_an_editor_asked_for_in_its_lane(owner: Api) -> None:
    job = finished_job(owner.user)
    asked = ask(owner, job).json()["id"]
    assert str(in_bulk(job).pk) == asked
    assert Export.objects.get().lane == Lane.EXPORTS


def test_one_that_failed_is_tried_again_in_the_lane_of_who_asks(owner: Api) -> None:
    job = finished_job(owner.user)
    export = in_bulk(job)
    Export.objects.filter(pk=export.pk).update(status="FAILED")
    assert ask(owner, job).status_code == 202
    assert Export.objects.get().lane == Lane.EXPORTS
    Export.objects.filter(pk=export.pk).update(status="FAILED")
    assert in_bulk(job).lane == Lane.EXPORT_BACKFILL == Export.objects.get().lane


def test_a_tenth_of_the_quota_is_left_to_the_owner(owner: Api, settings: Any) -> None:
    job = finished_job(owner.user)
    settings.QUOTA_BYTES_PER_OWNER = int(used_bytes(owner.user.pk) / 0.95) + 1
    with pytest.raises(ApiError) as refused:
        in_bulk(job)
    assert refused.value.code == "STORAGE_FULL"
    status, report, _ = call("backfill_exports", "--format", "MD_ZIP")
    assert (status, report["totals"], report["reasons"]) == (1, {"refused": 1}, {"STORAGE_FULL": 1})
    assert ask(owner, job).status_code == 202


@pytest.mark.parametrize("state", [status for status in JobStatus if status != JobStatus.DONE])
def test_a_job_that_is_not_done_is_left_as_it_is(owner: Api, state: JobStatus) -> None:
    job = force(finished_job(owner.user), state)
    with pytest.raises(ApiError) as refused:
        in_bulk(job)
    assert refused.value.status == 409
    assert (Job.objects.get().status, Export.objects.count()) == (state, 0)
    assert call("backfill_exports")[:2][1]["totals"] == {}


def test_an_editor_still_moves_the_job(owner: Api) -> None:
    job = make_job(JobStatus.DRAFT_READY, owner=owner.user)
    assert ask(owner, job).status_code == 202
    assert Job.objects.get().status == "EXPORTING"
    assert_shape(ask(owner, force(job, JobStatus.FAILED)), 409, "FSM_TERMINAL_IMMUTABLE")


@pytest.mark.parametrize("command", ["backfill_exports", "verify_exports"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("--job", "01a219b3-2f4f-70ab-86ac-967d26cb9726"),
        ("--project", "01a219b3-2f4f-70ab-86ac-967d26cb9726"),
        ("--job", "odd"),
        ("--since", "yesterday"),
        ("--until", "2026-02-31"),
        ("--format", "EXE"),
        ("--concurrency", "0"),
        ("--limit", "-1"),
    ],
)
def test_wrong_usage_is_refused(db: None, command: str, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command(command, *arguments)
    assert getattr(refused.value, "returncode", 2) in (1, 2)


def test_one_job_that_is_not_done_is_wrong_usage(owner: Api) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    with pytest.raises(CommandError, match="is EDITING; a backfill takes jobs that are DONE") as refused:
        call_command("backfill_exports", "--job", str(job.pk))
    assert refused.value.returncode == 2
