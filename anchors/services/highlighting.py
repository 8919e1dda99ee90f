"""A ring around the pointer, on the picture that the pipeline takes of a click."""

from __future__ import annotations

import logging
from typing import Any

from anchors.frames import EncodedFrame
from anchors.models import Asset, ScreenshotTask
from anchors.render import ImageUnreadable, normalise_operations
from anchors.services.annotation import Annotation
from anchors.services.drawing import draw_on_asset
from config import sandbox
from config.storage import Stored
from config.work.lease import Lease
from jobs.media.screen import EventKind

log = logging.getLogger(__name__)

_RADIUS = 0.025  # of the picture's width

Ringed = tuple[list[dict[str, Any]], Stored, tuple[int, int]]
"""The operations of a ring, the file of the picture with it, and its width and height."""


def ring_click(task: ScreenshotTask, frame: EncodedFrame, stored: Stored, lease: Lease) -> Ringed | None:
    """Return the picture `stored`, a frame or what stands in for it, with a ring at its click; None if it shows none,
    or the job's options want none.

    A picture on which it cannot be drawn goes without.
    """
    if not task.is_auto or not task.job.options.get("highlight_clicks"):
        return None
    clicks = task.job.screen_events.filter(kind=EventKind.CLICK, picture_ms=task.at_ms)
    click = clicks.order_by("at_ms", "position").first()
    if click is None or click.pointer is None:
        return None
    operations = normalise_operations([_ring(click.pointer, frame)])
    try:
        return operations, *draw_on_asset(
            Asset(job_id=task.job_id, uri=stored.uri), operations, check=lease.check
        )
    except (ImageUnreadable, sandbox.SandboxError, sandbox.ChildFailed):
        log.exception("a click could not be ringed")
        return None


def keep_ringed(task: ScreenshotTask, picture: Asset, ringed: Ringed) -> None:
    """Make the picture with the ring the active one: an annotation like any other, which can be taken off. The caller
    holds the job's lock."""
    operations, stored, size = ringed
    if task.anchor is not None:
        Annotation.of(task.anchor, picture, operations).keep(stored, size)


def _ring(pointer: list[float], frame: EncodedFrame) -> dict[str, Any]:
    """Return a circle around a point; at an edge it is cut off."""
    across, down = _RADIUS, _RADIUS * frame.width / frame.height
    left, top = max(0.0, pointer[0] - across), max(0.0, pointer[1] - down)
    right, bottom = min(1.0, pointer[0] + across), min(1.0, pointer[1] + down)
    geometry = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    return {"op_type": "box", "geometry": geometry, "style": {"radius": _RADIUS}}
