"""What counts into an owner's quota, and what is refused when it is used up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anchors.models import ScreenshotTask
from exports.models import Export
from jobs.services.quota import used_bytes
from jobs.states import JobStatus
from tests.desk import BLUR, Desk
from tests.errors import assert_shape
from tests.exports.asking import request_export
from tests.factories import Api, make_asset, make_job, work_off
from tests.uploads import files

pytestmark = pytest.mark.slow


def test_sound_transcript_draft_and_pictures_count(
    owner: Api, stranger: Api, storage_folder: Path, django_assert_num_queries: Any
) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    make_asset(job)
    kept = sum(path.stat().st_size for path in files(storage_folder))
    make_asset(make_job(JobStatus.EDITING, owner=stranger.user))
    with django_assert_num_queries(1):
        assert used_bytes(owner.user.pk) == kept - len(b"stands for a video")


def test_what_is_made_at_a_desk_counts(desk: Desk, storage_folder: Path) -> None:
    before = used_bytes(desk.job.owner_id), set(files(storage_folder))
    assert desk.annotate(desk.picture(), BLUR).status_code == 200
    assert request_export(desk).status_code == 202
    work_off()
    made = set(files(storage_folder)) - before[1]
    assert len(made) == 3
    assert used_bytes(desk.job.owner_id) - before[0] == sum(path.stat().st_size for path in made)


def test_an_owner_without_room_gets_no_more_pictures_and_exports(desk: Desk, settings: Any) -> None:
    task = desk.picture()
    drawn = desk.annotate(task, BLUR)
    settings.QUOTA_BYTES_PER_OWNER = used = used_bytes(desk.job.owner_id)
    refused = [
        desk.extract(timestamp_ms=11_000),
        desk.annotate(task, {**BLUR, "style": {"mode": "solid"}}),
        request_export(desk),
    ]
    for answer in refused:
        about = assert_shape(answer, 507, "STORAGE_FULL")
        assert about["details"] == {"limit_bytes": used, "used_bytes": used}
    assert (ScreenshotTask.objects.count(), Export.objects.count()) == (1, 0)
    assert desk.extract().status_code == 200  # what is there is shown all the same
    assert desk.annotate(task, BLUR).json() == drawn.json()
    settings.QUOTA_BYTES_PER_OWNER += 1
    assert desk.extract(timestamp_ms=11_000).status_code == 202


def test_a_failed_picture_is_not_tried_again_without_room(desk: Desk, settings: Any) -> None:
    desk.extract()
    task = ScreenshotTask.objects.get()
    ScreenshotTask.objects.update(status=ScreenshotTask.FAILED)
    settings.QUOTA_BYTES_PER_OWNER = 0
    assert_shape(desk.extract(), 507, "STORAGE_FULL")
    task.refresh_from_db()
    assert task.status == ScreenshotTask.FAILED
