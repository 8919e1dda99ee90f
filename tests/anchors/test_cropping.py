"""Where pictures of large screens are cropped."""

from __future__ import annotations

import random
from typing import Any

import pytest

from anchors import cropping
from anchors.cropping import MIN_SHARE, crop_for
from anchors.models import Anchor
from jobs.media.screen import EventKind, Region, Screen, ScreenEvent
from tests.anchors.redacting import image
from tests.desk import Desk
from tests.factories import work_off
from tests.pictures import make_activity
from tests.screens import make_screen

WIDE = (1920, 1080)
BUTTON = Region(0.52, 0.55, 0.05, 0.03)
DIALOG = Region(0.4, 0.35, 0.2, 0.25)


def holds(crop: Region, part: Region) -> bool:
    return (
        crop.x <= part.x + 1e-9
        and crop.y <= part.y + 1e-9
        and part.x + part.width <= crop.x + crop.width + 1e-9
        and part.y + part.height <= crop.y + crop.height + 1e-9
    )


def test_a_small_dialog_leaves_the_least_share_around_it() -> None:
    crop = crop_for(WIDE, shown=[BUTTON], window=DIALOG)
    assert crop is not None and (crop.width, crop.height) == (MIN_SHARE, MIN_SHARE)
    assert holds(crop, DIALOG) and holds(crop, BUTTON)


def test_what_is_shown_is_inside_wherever_it_is() -> None:
    chance = random.Random(7)
    cropped = 0
    for _ in range(2_000):
        parts = []
        for _ in range(3):
            x, y = chance.random() * 0.95, chance.random() * 0.95
            parts.append(Region(x, y, chance.random() * (1 - x) / 2, chance.random() * (1 - y) / 2))
        crop = crop_for(WIDE, shown=parts[1:], window=parts[0])
        if crop:
            cropped += 1
            assert all(holds(crop, part) for part in parts)
            assert holds(Region(0, 0, 1, 1), crop) and MIN_SHARE <= crop.width == crop.height < 1
    assert cropped > 500


@pytest.mark.parametrize(
    ("size", "window"),
    [
        ((1600, 900), DIALOG),
        (WIDE, None),
        (WIDE, Region(0.02, 0.02, 0.9, 0.9)),
        ((3440, 1440), None),  # one wide screen
    ],
)
def test_other_pictures_stay_whole(size: tuple[int, int], window: Region | None) -> None:
    assert crop_for(size, shown=[BUTTON], window=window) is None


@pytest.mark.parametrize(
    ("x", "crop"),
    [(0.1, Region(0.0, 0.0, 0.5, 1.0)), (0.6, Region(0.5, 0.0, 0.5, 1.0)), (0.49, None)],
)
def test_of_two_monitors_the_one_with_the_control_is_left(x: float, crop: Region | None) -> None:
    assert crop_for((3840, 1080), shown=[Region(x, 0.5, 0.05, 0.03)], window=None) == crop


def taken(desk: Desk, monkeypatch: pytest.MonkeyPatch, *, popups: Any = (), **options: Any) -> Anchor:
    """The anchor of the first step, a click in a dialog, after its picture was taken; as if its screen were large."""
    monkeypatch.setattr(cropping, "LARGE_PIXELS", 1_000)
    desk.job.options = {**desk.job.options, "highlight_clicks": True, **options}
    desk.job.save(update_fields=["options"])
    first, *_ = desk.api.get(f"/instructions/{desk.document['id']}/steps").json()
    at_ms = first["start_ms"] + 1_000
    opened = ScreenEvent(at_ms - 900, EventKind.WINDOW, DIALOG, 0.8, label="New", picture_ms=at_ms - 900)
    click = ScreenEvent(
        at_ms, EventKind.CLICK, BUTTON, 0.9, label="Save", pointer=(0.54, 0.56), picture_ms=at_ms - 90
    )
    make_screen(desk.job, Screen((opened, click)))
    row = make_activity(desk.job)
    row.activity = {**(row.activity or {}), "popups": [[at_ms + start, at_ms + end] for start, end in popups]}
    row.save(update_fields=["activity"])
    body = {"instruction_version_id": desk.version_id}
    task, *_ = desk.api.post(f"/jobs/{desk.job.pk}/screenshots/auto", body).json()
    work_off()
    return Anchor.objects.get(pk=task["anchor_id"])


@pytest.mark.slow
def test_a_ringed_picture_is_cropped_and_can_be_had_whole(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchor = taken(desk, monkeypatch, crop_pictures=True)
    bare, ringed, cropped = anchor.assets.order_by("version")
    assert [each["op_type"] for asset in (ringed, cropped) for each in asset.operations] == ["box", "crop"]
    assert anchor.active_asset_id == cropped.pk and cropped.rendered_from_id == ringed.pk
    part = cropped.operations[0]["geometry"]
    left, top = round(part["x"] * bare.width), round(part["y"] * bare.height)
    box = (left, top, left + cropped.width, top + cropped.height)
    assert cropped.width == pytest.approx(MIN_SHARE * bare.width, abs=1)
    assert image(str(ringed.pk)).crop(box).tobytes() == image(str(cropped.pk)).tobytes()
    desk.api.call("DELETE", f"/anchors/{anchor.pk}/assets/{cropped.pk}")
    assert Anchor.objects.get(pk=anchor.pk).active_asset_id == ringed.pk


@pytest.mark.slow
def test_without_the_option_no_picture_is_cropped(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _, ringed = taken(desk, monkeypatch).assets.order_by("version")
    assert [operation["op_type"] for operation in ringed.operations] == ["box"]


@pytest.mark.slow
def test_a_dialog_that_has_closed_is_not_cropped_to(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    anchor = taken(desk, monkeypatch, popups=[(-900, -300)], crop_pictures=True, highlight_clicks=False)
    assert [asset.kind for asset in anchor.assets.all()] == ["EXTRACTED"]
