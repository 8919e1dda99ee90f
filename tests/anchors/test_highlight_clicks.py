"""A ring marks the click on the pictures that the pipeline takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from anchors.models import Anchor, Asset
from anchors.sensitive import Found
from anchors.sensitive import Region as FoundRegion
from anchors.services import searching
from jobs.media.screen import EventKind, Region, Screen, ScreenEvent
from tests.anchors.redacting import colours, image, redact
from tests.desk import Desk
from tests.factories import work_off
from tests.pictures import make_activity, make_search
from tests.screens import make_screen

pytestmark = pytest.mark.slow


def step_starts(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.api.get(f"/instructions/{desk.document['id']}/steps").json()
    return found


def click_in(step: dict[str, Any]) -> ScreenEvent:
    at_ms = step["start_ms"] + 100
    region = Region(0.4, 0.4, 0.1, 0.1)
    return ScreenEvent(
        at_ms, EventKind.CLICK, region, 0.9, label="New", pointer=(0.45, 0.45), picture_ms=at_ms - 90
    )


def taken(desk: Desk, event: ScreenEvent) -> Anchor:
    """The anchor of the first step, after its picture was taken."""
    make_screen(desk.job, Screen((event,)))
    make_activity(desk.job)
    body = {"instruction_version_id": desk.version_id}
    first, *_ = desk.api.post(f"/jobs/{desk.job.pk}/screenshots/auto", body).json()
    work_off()
    return Anchor.objects.get(pk=first["anchor_id"])


def with_options(desk: Desk, **options: Any) -> None:
    desk.job.options = {**desk.job.options, **options}
    desk.job.save(update_fields=["options"])


def test_a_click_is_ringed_and_the_bare_picture_is_kept(desk: Desk) -> None:
    with_options(desk, highlight_clicks=True)
    event = click_in(step_starts(desk)[0])
    bare, ringed = taken(desk, event).assets.order_by("version")
    assert (bare.kind, ringed.kind) == ("EXTRACTED", "ANNOTATED")
    assert bare.extracted_at_ms is not None and bare.extracted_at_ms <= (event.picture_ms or 0)
    assert [operation["op_type"] for operation in ringed.operations] == ["box"]
    anchor = Anchor.objects.get(assets=ringed)
    assert anchor.active_asset_id == ringed.pk and ringed.rendered_from_id == bare.pk
    desk.api.call("DELETE", f"/anchors/{anchor.pk}/assets/{ringed.pk}")
    assert Anchor.objects.get(pk=anchor.pk).active_asset_id == bare.pk


REGION = {"x": 0.4, "y": 0.4, "width": 0.1, "height": 0.1}  # around the click


def ring_pixels(asset: Asset) -> int:
    """How many pixels of a picture have the colour of a ring."""
    pixels = np.asarray(image(str(asset.pk)).convert("RGB")).astype(int)
    return int((abs(pixels - (0xE5, 0x48, 0x4D)).max(axis=-1) < 40).sum())


def test_a_click_on_a_redacted_picture_is_ringed_above_it(desk: Desk) -> None:
    with_options(desk, highlight_clicks=True)
    assert redact(desk, 0, 20_000, region=REGION).status_code == 201
    anchor = taken(desk, click_in(step_starts(desk)[0]))
    bare, covered, ringed = anchor.assets.order_by("version")
    assert [bare.is_concealed, covered.is_concealed, ringed.is_concealed] == [True, False, False]
    assert (anchor.active_asset_id, ringed.rendered_from_id) == (ringed.pk, covered.pk)
    assert ringed.is_redacted and ring_pixels(ringed) > ring_pixels(covered) + 200
    assert colours(str(covered.pk), inside=REGION) == 1
    desk.api.call("DELETE", f"/anchors/{anchor.pk}/assets/{ringed.pk}")
    assert Anchor.objects.get(pk=anchor.pk).active_asset_id == covered.pk


def test_a_ring_is_drawn_on_what_a_search_hides_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Found("email", 0, 20_000, FoundRegion(**REGION), 0.9)]
    monkeypatch.setattr(searching, "_search", lambda *_: found)
    with_options(desk, highlight_clicks=True, auto_redact=True)
    search = make_search(desk.job, status="FAILED", failure_code="WORKER_LOST")
    anchor = taken(desk, click_in(step_starts(desk)[0]))
    assert not anchor.assets.filter(is_concealed=False).exists()
    search.reopen()
    work_off()
    shown = Anchor.objects.get(pk=anchor.pk).active_asset
    assert shown is not None and (shown.is_redacted, shown.is_concealed) == (True, False)
    covered = shown.rendered_from
    assert covered is not None and covered.is_redacted and ring_pixels(shown) > ring_pixels(covered) + 200


def test_without_the_option_there_is_no_ring(desk: Desk) -> None:
    with_options(desk, highlight_clicks=False)
    anchor = taken(desk, click_in(step_starts(desk)[0]))
    assert [asset.kind for asset in anchor.assets.all()] == ["EXTRACTED"]


def test_typing_has_no_ring(desk: Desk) -> None:
    with_options(desk, highlight_clicks=True)
    typing = replace(click_in(step_starts(desk)[0]), kind=EventKind.TYPE)
    assert [asset.kind for asset in taken(desk, typing).assets.all()] == ["EXTRACTED"]


def test_the_click_chooses_the_moment_of_the_picture(desk: Desk) -> None:
    event = click_in(step_starts(desk)[0])
    make_screen(desk.job, Screen((event,)))
    make_activity(desk.job)
    first, *_ = desk.api.get(f"/jobs/{desk.job.pk}/screenshots/suggestions").json()
    assert (first["timestamp_ms"], first["reason"], first["score"]) == (
        event.picture_ms,
        "before_action",
        0.95,
    )


def test_a_doubtful_click_chooses_no_moment(desk: Desk) -> None:
    event = replace(click_in(step_starts(desk)[0]), confidence=0.3)
    make_screen(desk.job, Screen((event,)))
    make_activity(desk.job)
    first, *_ = desk.api.get(f"/jobs/{desk.job.pk}/screenshots/suggestions").json()
    assert first["reason"] != "before_action"
