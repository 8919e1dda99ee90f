"""The end of a job ends all work on it, of every kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from anchors.models import RedactionRun, ScreenActivity, ScreenshotTask, SensitiveSearch
from config.work.models import WorkRow
from config.work.registry import KINDS
from exports.models import Export
from instructions.models import RegenerateTask
from jobs.models import Dispatch, Job, PipelineRun
from jobs.states import JobStatus
from tests.callbacks import send
from tests.factories import (
    Api,
    make_dispatch,
    make_export,
    make_job,
    make_regenerate_task,
    make_run,
    make_screenshot_task,
)
from tests.pictures import make_activity, make_redaction_run, make_search

# Each kind of work, and a row of it that waits for a worker.
WAITING: dict[type[WorkRow], Callable[[Api], WorkRow]] = {
    Dispatch: lambda api: make_dispatch(make_job(JobStatus.UPLOADED, owner=api.user), state="pending"),
    PipelineRun: lambda api: make_run(owner=api.user),
    ScreenshotTask: lambda api: make_screenshot_task(
        make_job(JobStatus.DRAFT_READY, owner=api.user), status=ScreenshotTask.WAITING
    ),
    ScreenActivity: lambda api: make_activity(
        make_job(JobStatus.GENERATING, owner=api.user, auto_screenshots=True), status="PENDING"
    ),
    SensitiveSearch: lambda api: make_search(
        make_job(JobStatus.GENERATING, owner=api.user, auto_redact=True), status="PENDING"
    ),
    RedactionRun: lambda api: make_redaction_run(make_job(JobStatus.EDITING, owner=api.user)),
    RegenerateTask: lambda api: make_regenerate_task(make_job(JobStatus.EDITING, owner=api.user)),
    Export: lambda api: make_export(make_job(JobStatus.EXPORTING, owner=api.user), status=Export.WAITING),
}


def test_every_kind_of_work_stands_in_the_table() -> None:
    assert set(KINDS) == set(WAITING), "add the new kind to WAITING, and its end to hooks.JOB_ABORTED"


@pytest.mark.parametrize("model", WAITING, ids=lambda model: model.__name__)
def test_a_cancelled_job_leaves_no_work_open(owner: Api, model: type[WorkRow]) -> None:
    row = WAITING[model](owner)
    job: Job = row.job  # type: ignore[attr-defined]
    assert owner.post(f"/jobs/{job.pk}/cancel").status_code == 200
    ended = model._default_manager.get(pk=row.pk)
    assert ended.status not in (model.WAITING, model.RUNNING)
    assert ended.failure_code == "JOB_CANCELLED"


@pytest.mark.parametrize("model", [Dispatch, PipelineRun, ScreenshotTask], ids=lambda model: model.__name__)
def test_a_job_that_an_orchestrator_fails_leaves_no_work_open(owner: Api, model: type[WorkRow]) -> None:
    row = WAITING[model](owner)
    job: Job = row.job  # type: ignore[attr-defined]
    failure = {"failure_code": "ODD", "failure_message": "It failed.", "failed_stage": "x"}
    assert send(job, "FAILED", **failure).status_code == 204
    ended = model._default_manager.get(pk=row.pk)
    assert ended.status not in (model.WAITING, model.RUNNING)
