"""Drawing on stored files that are no sound pictures, over HTTP and through the real sandbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from anchors.models import Anchor, Asset, ScreenshotTask
from config.storage import kept_folder, storage
from tests.anchors.bad_bases import BAD, png
from tests.desk import BLUR, Desk
from tests.factories import make_anchor, work_off

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]


def stored_as_picture(desk: Desk, content: bytes) -> Asset:
    """A row that takes the file for a picture of 64 x 48 pixels, the active one of its anchor."""
    anchor = make_anchor(desk.job)
    stored = storage().save_bytes(kept_folder(desk.job.pk), content, suffix=".png")
    asset = Asset.objects.create(
        job=desk.job,
        anchor=anchor,
        version=1,
        kind=Asset.Kind.UPLOADED,
        uri=stored.uri,
        checksum_sha256=stored.sha256,
        mime_type="image/png",
        width=64,
        height=48,
    )
    Anchor.objects.filter(pk=anchor.pk).update(active_asset=asset)
    return asset


@pytest.mark.both_storages(bucket="soak")
@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_a_file_that_is_no_picture_is_refused_and_leaves_nothing(
    desk: Desk, make: Callable[[], bytes]
) -> None:
    base = stored_as_picture(desk, make())
    before = storage().old_files(kept_folder(desk.job.pk), timedelta(seconds=-2))
    files = sorted(before)
    path = f"/anchors/{base.anchor_id}/annotations"
    body = {"base_asset_id": str(base.pk), "operations": [BLUR]}
    refused = desk.api.post(path, body)
    assert refused.status_code == 400, refused.content
    (error,) = refused.json()["details"]["errors"]
    assert (error["field"], error["code"]) == ("base_asset_id", "unreadable")
    task = desk.api.post(path, body, prefer="respond-async").json()
    work_off()
    failed = desk.api.get(f"/screenshot-tasks/{task['task_id']}").json()
    assert (failed["status"], failed["failure_code"]) == ("FAILED", "RENDER_FAILED")
    assert failed["failure_message"] == error["message"] and "picture is" in error["message"]
    assert ScreenshotTask.objects.get().attempt == 1
    assert list(Asset.objects.all()) == [base]
    assert Anchor.objects.get(pk=base.anchor_id).active_asset == base
    assert sorted(storage().old_files(kept_folder(desk.job.pk), timedelta(seconds=-2))) == files


def test_a_sound_picture_is_drawn_on_so_these_tests_can_fail(desk: Desk) -> None:
    base = stored_as_picture(desk, png())
    drawn = desk.annotate({"asset_id": str(base.pk), "anchor_id": base.anchor_id}, BLUR)
    assert drawn.status_code == 200


@pytest.mark.file_system
def test_there_are_forty_bad_pictures() -> None:
    assert len({make() for make in BAD.values()}) >= 40
