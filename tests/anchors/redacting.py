"""Redactions asked for at a desk, and what is under them."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from anchors.models import Asset
from config.storage import storage
from tests.desk import Desk

REGION = {"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.5}
BADGE = {"op_type": "badge", "geometry": {"x": 0.1, "y": 0.1}, "style": {"label": "1"}}
CROP = {"op_type": "crop", "geometry": {"x": 0.2, "y": 0.2, "width": 0.6, "height": 0.6}}


def redact(desk: Desk, start_ms: int = 9_000, end_ms: int = 11_000, **changed: Any) -> Any:
    body = {"start_ms": start_ms, "end_ms": end_ms, "region": REGION, "mode": "solid", **changed}
    return desk.api.post(f"/jobs/{desk.job.pk}/redactions", body)


def take_back(desk: Desk, redaction: Any) -> Any:
    return desk.api.call("DELETE", f"/redactions/{redaction.json()['id']}")


def anchor_of(desk: Desk, task: dict[str, Any]) -> Any:
    return desk.api.get(f"/anchors/{task['anchor_id']}").json()


def image(asset_id: str) -> Image.Image:
    """The bytes that lie in the storage, whatever the API gives."""
    with storage().open(Asset.objects.get(pk=asset_id).uri) as file:
        return Image.open(io.BytesIO(file.read())).convert("RGB")


def colours(asset_id: str, *, inside: dict[str, float] = REGION) -> int:
    """How many colours the region has: one under a bar."""
    picture = image(asset_id)
    left, top = inside["x"] * picture.width, inside["y"] * picture.height
    right, bottom = left + inside["width"] * picture.width, top + inside["height"] * picture.height
    box = (round(left) + 1, round(top) + 1, round(right) - 1, round(bottom) - 1)
    return len(picture.crop(box).getcolors(2**24) or ())


def content(desk: Desk, asset_id: str) -> int:
    return int(desk.api.get(f"/assets/{asset_id}/content").status_code)
