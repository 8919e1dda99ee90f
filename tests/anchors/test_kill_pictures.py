"""A worker killed between each two steps of taking pictures out of a video.

After each kill the sweep has another one go on. Of one task there is one picture.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from anchors.models import Anchor, Asset, ScreenshotTask
from jobs.models import Job
from tests.anchors.filmed import (
    assert_every_file_has_its_row,
    events,
    extract,
    filmed,
    number_in,
    replace,
    versions,
    write_numbered,
)
from tests.elapsed import recover
from tests.factories import Api, make_anchor
from tests.jobs.killer import Killer, after_each_step

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

WORK = {"work": True}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_numbered(tmp_path_factory.mktemp("video"))


@pytest.mark.both_storages
def test_a_worker_that_is_killed_while_it_takes_pictures(api: Api, killer: Killer, video: Path) -> None:
    """Two on one anchor that lie close, which are taken by one pass, and a far one on an anchor of its own."""
    asked: dict[UUID, list[str]] = {}
    anchors: dict[UUID, Anchor] = {}

    def make() -> Job:
        job = filmed(api, video)
        anchors[job.pk] = anchor = make_anchor(job)
        near = [replace(api, anchor, at_ms) for at_ms in (1_000, 2_000)]
        asked[job.pk] = [*near, extract(api, job, 15_000)]
        return job

    def check(job: Job) -> None:
        for task in ScreenshotTask.objects.filter(job=job):
            assert (task.asset is not None) is (task.status == "SUCCEEDED")
        assert Asset.objects.filter(job=job).count() == events(job, "SCREENSHOT_TAKEN")
        recover()
        tasks = ScreenshotTask.objects.select_related("asset").in_bulk(asked[job.pk])
        found = [tasks[UUID(task_id)] for task_id in asked[job.pk]]
        assert [task.status for task in found] == ["SUCCEEDED"] * 3
        assert [number_in(task.asset) for task in found if task.asset] == [10, 20, 150]
        assert all(task.retries == 0 and task.losses <= 1 for task in found)
        anchor, other = anchors[job.pk], Anchor.objects.get(pk=found[2].anchor_id)
        assert (versions(anchor), versions(other)) == ([1, 2], [1])
        first, second = anchor.assets.order_by("version")
        assert (first.previous_asset, second.previous_asset) == (None, first)
        assert Anchor.objects.get(pk=anchor.pk).active_asset == second
        assert other.active_asset == found[2].asset
        assert events(job, "SCREENSHOT_TAKEN") == 3 == Asset.objects.filter(job=job).count()
        assert_every_file_has_its_row(job)

    assert after_each_step(killer, make, lambda job: WORK, check) >= 40
