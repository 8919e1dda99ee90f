"""How much work one annotation may be: refused by numbers alone, and never more than it says."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
from PIL import Image

from anchors.models import Asset
from anchors.render import OperationsInvalid, canvas, check_work, normalise_operations, render_annotations
from tests.anchors.pictures import EVERYTHING, op
from tests.desk import BLUR, Desk
from tests.factories import make_anchor, make_asset

SIZE_4K = (3840, 2160)
ALL = {"x": 0, "y": 0, "width": 1, "height": 1}


def zigzag(number: int) -> dict[str, Any]:
    """A line that goes to and fro over the whole picture."""
    return {"points": [{"x": at % 2, "y": at / number} for at in range(number)]}


HOSTILE = {
    "200 gaussians": [op("blur", ALL, mode="gaussian", strength=1)] * 200,
    "200 mosaics": [op("blur", ALL)] * 200,
    "200 highlights": [op("marker", ALL)] * 200,
    "10 pencils of 2,000 points": [op("pencil", zigzag(2000), thickness=0.05)] * 10,
    "10 thin pencils": [op("pencil", zigzag(2000), thickness=0.001)] * 10,
    "200 markers of 500 points": [op("marker", zigzag(500))] * 200,
    "200 arrows": [op("arrow", {"from": {"x": 0, "y": 0}, "to": {"x": 1, "y": 1}}, thickness=0.05)] * 200,
    "200 boxes": [op("box", ALL, thickness=0.05, radius=0.1)] * 200,
    "200 texts": [op("text", text="W" * 200, size=0.2)] * 200,
    "200 texts that no font has": [op("text", text="".join(map(chr, range(0x12000, 0x120C8))))] * 200,
    "200 badges": [op("badge", size=0.2)] * 200,
}


@pytest.mark.parametrize("operations", HOSTILE.values(), ids=HOSTILE)
def test_what_would_take_long_is_refused_by_its_numbers(operations: list[dict[str, Any]]) -> None:
    normal = normalise_operations(operations)
    started = time.process_time()
    with pytest.raises(OperationsInvalid) as refused:
        check_work(normal, SIZE_4K)
    assert time.process_time() - started < 2
    (error,) = refused.value.errors
    assert (error["field"], error["code"]) == ("operations", "too_complex")
    assert "3840 x 2160" in error["message"] and "500 million" in error["message"]
    assert error["hint"].startswith("Draw fewer")


def hand_drawn(number: int) -> dict[str, Any]:
    """A line of many points that lie close together, as a pointer gives them."""
    return {"points": [{"x": 0.2 + at / number / 2, "y": 0.5 + at % 7 / 500} for at in range(number)]}


def test_what_people_draw_is_far_inside() -> None:
    usual = [
        op("blur", {"x": 0.1, "y": 0.1, "width": 0.3, "height": 0.1}),
        op("blur", {"x": 0.1, "y": 0.1, "width": 0.3, "height": 0.1}, mode="gaussian"),
        op("arrow"),
        op("marker"),
        op("pencil", hand_drawn(300)),
        op("box"),
        op("text", text="Click here to save the file"),
        op("badge"),
    ]
    fifty = normalise_operations((usual * 7)[:50])
    check_work(fifty, SIZE_4K)
    check_work(fifty * 2, SIZE_4K)
    check_work(normalise_operations([op("blur", ALL, mode="gaussian")]), (8000, 5000))
    check_work(normalise_operations([op("pencil", hand_drawn(2000))] * 10), SIZE_4K)
    check_work(normalise_operations(EVERYTHING), SIZE_4K)


def test_a_tile_that_is_full_is_not_drawn_on_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    draw = canvas.Segment.draw
    monkeypatch.setattr(canvas.Segment, "draw", lambda *given: (drawn.append(1), draw(*given)))
    parts = [canvas.Segment((0.0, 64.0), (128.0, 64.0), 200.0)] * 2000
    image = Image.new("RGB", (128, 128), "white")
    canvas.paint(image, parts, canvas.flat("#000000"))
    assert len(drawn) <= 16
    assert image.getcolors() == [(128 * 128, (0, 0, 0))]


def test_a_stroke_is_looked_for_only_near_its_way() -> None:
    """A diagonal passes by most tiles of the rectangle around it."""
    segment = canvas.Segment((0.0, 0.0), (12800.0, 12800.0), 2.0)
    assert len(list(canvas._tiles((12800, 12800), segment))) < 100 * 4


def test_too_much_work_is_400_and_no_byte_is_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    anchor = make_anchor(desk.job)
    asset = make_asset(desk.job, anchor=anchor)
    monkeypatch.setattr("anchors.services.drawing.storage", lambda: pytest.fail("read"))
    monkeypatch.setattr("anchors.render.budget.MAX_WORK", 100)
    refused = desk.annotate({"asset_id": str(asset.pk), "anchor_id": anchor.pk}, BLUR)
    (error,) = refused.json()["details"]["errors"]
    assert (refused.status_code, error["field"], error["code"]) == (400, "operations", "too_complex")


def test_a_picture_of_too_many_pixels_is_400_and_no_byte_is_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchor = make_anchor(desk.job)
    asset = make_asset(desk.job, anchor=anchor)
    copied = {name: getattr(asset, name) for name in ("job", "kind", "uri", "mime_type", "checksum_sha256")}
    large = Asset.objects.create(anchor=anchor, version=2, width=8001, height=5000, **copied)
    monkeypatch.setattr("anchors.services.drawing.storage", lambda: pytest.fail("read"))
    refused = desk.annotate({"asset_id": str(large.pk), "anchor_id": anchor.pk}, BLUR)
    (error,) = refused.json()["details"]["errors"]
    assert (refused.status_code, error["field"], error["code"]) == (400, "base_asset_id", "too_large")


@pytest.mark.parametrize("size", [(8001, 5000), (65_536, 1), (1, 65_536)])
def test_the_size_of_a_picture_is_looked_at_before_it_is_decoded(size: tuple[int, int]) -> None:
    buffer = io.BytesIO()
    Image.new("1", size).save(buffer, "PNG")
    with pytest.raises(ValueError, match="too large"):
        render_annotations(buffer.getvalue(), [BLUR])
