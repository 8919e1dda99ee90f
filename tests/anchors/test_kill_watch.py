"""A worker killed between each two steps of looking at a job's video, and of having the pictures of its draft made.

After each kill the sweep has another one go on. Of a step of the draft there is one task, and one picture.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from django.db import transaction

from anchors.models import Anchor, Asset, ScreenActivity, ScreenshotTask
from anchors.services.job_hooks import watch_video
from instructions.queries import read_steps
from jobs.models import Job
from jobs.services.transitions import lock_job
from jobs.states import JobStatus
from tests.anchors.filmed import assert_every_file_has_its_row, events, filmed, write_numbered
from tests.elapsed import recover
from tests.factories import Api, make_job, work_off
from tests.jobs.killer import Killer, after_each_step

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

WORK = {"work": True}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_numbered(tmp_path_factory.mktemp("video"))


def watched(job: Job) -> Job:
    """A job whose draft waits for the watch of its screen."""
    with transaction.atomic():
        watch_video(lock_job(job.pk), makes_pictures=True)
    return job


def assert_asked_once_for_each_step(api: Api, job: Job) -> None:
    version = job.instruction.versions.latest("version")
    steps = read_steps(api.user, version.instruction_id, version.version)
    anchors = [UUID(anchor_id) for step in steps for anchor_id in step.anchor_ids]
    known = Anchor.objects.filter(instruction__job=job).values_list("pk", flat=True)
    tasks = ScreenshotTask.objects.filter(job=job, is_auto=True).values_list("anchor_id", flat=True)
    assert len(anchors) == len(steps) > 0
    assert sorted(anchors) == sorted(known) == sorted(pk for pk in tasks if pk)
    assert events(job, "SCREENSHOT_REQUESTED") == len(steps)
    assert Job.objects.get(pk=job.pk).status == "DRAFT_READY"
    assert ScreenActivity.objects.get(job=job).makes_pictures is False


def test_a_worker_that_is_killed_while_it_looks_at_the_video(api: Api, killer: Killer, video: Path) -> None:
    def check(job: Job) -> None:
        asked = ScreenshotTask.objects.filter(job=job).count()
        is_over = ScreenActivity.objects.get(job=job).status == "SUCCEEDED"
        assert bool(asked) is is_over, "pictures of a watch that is not over, or a watch without its pictures"
        recover()
        work_off()
        assert ScreenActivity.objects.get(job=job).status == "SUCCEEDED"
        assert_asked_once_for_each_step(api, job)
        pictures = ScreenshotTask.objects.filter(job=job, status="SUCCEEDED").values_list("asset", flat=True)
        shown = Anchor.objects.filter(instruction__job=job).values_list("active_asset", flat=True)
        made = Asset.objects.filter(job=job).values_list("pk", flat=True)
        assert sorted(map(str, pictures)) == sorted(map(str, shown)) == sorted(map(str, made))
        assert len(made) == events(job, "SCREENSHOT_TAKEN") == events(job, "SCREENSHOT_REQUESTED")
        assert_every_file_has_its_row(job)

    def make() -> Job:
        return watched(filmed(api, video, JobStatus.DRAFT_READY))

    assert after_each_step(killer, make, lambda job: WORK, check) >= 40


def test_a_worker_that_is_killed_while_it_fails_to_look_at_it(api: Api, killer: Killer) -> None:
    """Of a video that is none; the pictures of the steps' starts are asked for, and fail as well."""

    def check(job: Job) -> None:
        recover()
        work_off()
        row = ScreenActivity.objects.get(job=job)
        assert (row.status, row.failure_code) == ("FAILED", "VIDEO_UNREADABLE")
        assert_asked_once_for_each_step(api, job)
        ends = ScreenshotTask.objects.filter(job=job).values_list("status", "failure_code")
        assert set(ends) == {("FAILED", "VIDEO_UNREADABLE")}
        assert not Asset.objects.filter(job=job).exists()

    def make() -> Job:
        return watched(make_job(JobStatus.DRAFT_READY, owner=api.user))

    assert after_each_step(killer, make, lambda job: WORK, check) >= 30
