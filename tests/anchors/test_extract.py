"""Taking pictures out of the sample recording, over HTTP."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from PIL import Image

from anchors.models import Anchor, Asset, ScreenshotTask
from jobs.models import Job
from jobs.states import JobStatus
from tests.desk import Desk
from tests.factories import Api
from tests.media.frame_counter import read_counter

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]

MISSING = "01a20000-0000-7000-8000-00000000abcd"


@pytest.mark.file_system
@pytest.mark.parametrize(
    ("format", "mime_type"), [("png", "image/png"), ("jpg", "image/jpeg"), ("webp", "image/webp")]
)
def test_the_frame_that_is_shown_at_the_time_is_taken(desk: Desk, format: str, mime_type: str) -> None:
    task = desk.picture(timestamp_ms=12_345, offset_ms=55, format=format)
    content = desk.api.get(f"/assets/{task['asset_id']}/content", accept="image/*")
    assert content.headers["Content-Type"] == mime_type
    assert (
        content.headers["Cache-Control"].startswith("private")
        and "immutable" in content.headers["Cache-Control"]
    )
    with Image.open(io.BytesIO(b"".join(content.streaming_content))) as image:
        assert image.size == (1280, 720)
        assert read_counter(image.convert("RGB")) == 186  # 12.4 s at 15 frames a second
    known = desk.api.get(f"/assets/{task['asset_id']}/content", if_none_match=content.headers["ETag"])
    assert (known.status_code, known.content) == (304, b"")
    assert {known.headers[name] == content.headers[name] for name in ("ETag", "Cache-Control")} == {True}
    assert task["extracted_at_ms"] == 12_400
    anchor = desk.api.get(f"/anchors/{task['anchor_id']}").json()
    assert anchor["active_asset_id"] == task["asset_id"]
    assert anchor["addressing"] == {
        "address_type": "block_id",
        "block_id": desk.block_id,
    }
    assert [(asset["kind"], asset["version"]) for asset in anchor["assets"]] == [("EXTRACTED", 1)]


def test_the_same_picture_is_the_same_task(desk: Desk) -> None:
    first = desk.extract()
    assert first.status_code == 202
    assert first.headers["Location"] == f"/api/v1/screenshot-tasks/{first.json()['task_id']}"
    again = desk.extract()
    assert (again.status_code, again.json()["task_id"]) == (200, first.json()["task_id"])
    assert ScreenshotTask.objects.count() == Anchor.objects.count() == 1


def test_a_picture_without_an_address_has_no_anchor(desk: Desk) -> None:
    task = desk.picture(block_id=None)
    assert "anchor_id" not in task
    assert Asset.objects.get(pk=task["asset_id"]).anchor is None


def test_a_second_picture_of_an_anchor_follows_the_first(desk: Desk) -> None:
    first = desk.picture()
    second = desk.picture(block_id=None, anchor_id=first["anchor_id"], timestamp_ms=20_000)
    anchor = desk.api.get(f"/anchors/{first['anchor_id']}").json()
    assert [(asset["version"], asset["previous_asset_id"]) for asset in anchor["assets"]] == [
        (1, None),
        (2, first["asset_id"]),
    ]
    assert anchor["active_asset_id"] == second["asset_id"]


def test_a_failed_task_starts_again(desk: Desk) -> None:
    task = desk.extract(timestamp_ms=48_933).json()
    ScreenshotTask.objects.filter(pk=task["task_id"]).update(status="FAILED", failure_code="X")
    again = desk.extract(timestamp_ms=48_933)
    assert (again.status_code, again.json()["status"], again.json()["task_id"]) == (
        202,
        "PENDING",
        task["task_id"],
    )


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"instruction_id": MISSING}, "instruction_id"),
        ({"instruction_version_id": "odd"}, "instruction_version_id"),
        ({"block_id": MISSING}, "block_id"),
        ({"block_id": None, "anchor_id": MISSING}, "anchor_id"),
        ({"block_id": None, "char_range": {"start_offset": 5, "end_offset": 5}}, "char_range"),
        ({"block_id": None, "char_range": {"start_offset": 0, "end_offset": 10**6}}, "char_range"),
        ({"anchor_id": MISSING}, "body"),
        ({"timestamp_ms": 48_934}, "timestamp_ms"),
        ({"timestamp_ms": -1}, "timestamp_ms"),
        ({"offset_ms": -10_001}, "timestamp_ms"),
        ({"strategy": "odd"}, "strategy"),
        ({"format": "gif"}, "format"),
        ({"odd": 1}, "odd"),
    ],
)
def test_a_bad_request_for_a_picture_names_its_field_and_makes_nothing(
    desk: Desk, changed: dict[str, Any], field: str
) -> None:
    response = desk.extract(**changed)
    assert response.status_code == 400, response.content
    assert response.json()["details"]["errors"][0]["field"] == field
    assert ScreenshotTask.objects.count() == Anchor.objects.count() == 0


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
def test_the_document_of_an_ended_job_takes_no_picture(owner: Api, status: JobStatus) -> None:
    assert Desk(owner, status).extract().json()["code"] == "FSM_TERMINAL_IMMUTABLE"


def test_a_pictures_bytes_are_never_changed(desk: Desk) -> None:
    task = desk.picture()
    for changed in ({"checksum_sha256": "0"}, {"uri": "local://x"}, {"width": 1}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Asset.objects.filter(pk=task["asset_id"]).update(**changed)


def test_the_first_picture_opens_the_document(owner: Api) -> None:
    desk = Desk(owner, JobStatus.DRAFT_READY)
    desk.extract()
    assert Job.objects.get(pk=desk.job.pk).status == JobStatus.EDITING
