"""What is drawn on the pictures that the pipeline takes of an action: a ring around the pointer, and a crop to the
window that the action is in."""

from __future__ import annotations

import logging
from typing import Any

from anchors.cropping import crop_for
from anchors.frames import EncodedFrame
from anchors.models import Asset, ScreenActivity, ScreenshotTask
from anchors.render import ImageUnreadable, normalise_operations
from anchors.services.annotation import Annotation
from anchors.services.drawing import draw_on_asset
from config import sandbox
from config.storage import Stored
from config.work.lease import Lease
from jobs.media.screen import EventKind, Region
from jobs.models import ScreenEvent

log = logging.getLogger(__name__)

_RADIUS = 0.025  # of the picture's width
_SAME_MS = 500  # between the opening of a window, and the change of the screen that it is

Mark = tuple[list[dict[str, Any]], Stored, tuple[int, int]]
"""Operations, the file of the picture that they were drawn on with them, and its width and height."""


def mark_action(task: ScreenshotTask, frame: EncodedFrame, stored: Stored, lease: Lease) -> list[Mark]:
    """Draw what the job's options want on the picture `stored`, a frame or what stands in for it, each on the one
    before; nothing on a picture that shows no action. Of two actions at the same time it is the first.

    A picture on which it cannot be drawn goes without.
    """
    marks: list[Mark] = []
    if not task.is_auto:
        return marks
    acted = task.job.screen_events.filter(picture_ms=task.at_ms, kind__in=[EventKind.CLICK, EventKind.TYPE])
    event = acted.order_by("at_ms", "position").first()
    try:
        for operation in _operations(task, frame, event) if event else ():
            operations = normalise_operations([operation])
            base = Asset(job_id=task.job_id, uri=marks[-1][1].uri if marks else stored.uri)
            marks.append((operations, *draw_on_asset(base, operations, check=lease.check)))
    except (ImageUnreadable, sandbox.SandboxError, sandbox.ChildFailed):
        log.exception("an action could not be marked")
    return marks


def keep_marks(task: ScreenshotTask, picture: Asset, marks: list[Mark]) -> None:
    """Make the picture with the marks the active one: annotations like any other, which can be taken off one by one.
    The caller holds the job's lock."""
    if task.anchor is None:
        return
    for operations, stored, size in marks:
        picture = Annotation.of(task.anchor, picture, operations).keep(stored, size)


def _operations(task: ScreenshotTask, frame: EncodedFrame, event: ScreenEvent) -> list[dict[str, Any]]:
    options, found = task.job.options, []
    if options.get("highlight_clicks") and event.kind == EventKind.CLICK and event.pointer is not None:
        found.append(_ring(event.pointer, frame))
    if options.get("crop_pictures") and (crop := _crop(task, frame, event)):
        found.append(crop)
    return found


def _ring(pointer: list[float], frame: EncodedFrame) -> dict[str, Any]:
    """Return a circle around a point; at an edge it is cut off."""
    part = _around(pointer, frame)
    geometry = {"x": part.x, "y": part.y, "width": part.width, "height": part.height}
    return {"op_type": "box", "geometry": geometry, "style": {"radius": _RADIUS}}


def _around(point: list[float], frame: EncodedFrame) -> Region:
    across, down = _RADIUS, _RADIUS * frame.width / frame.height
    left, top = max(0.0, point[0] - across), max(0.0, point[1] - down)
    right, bottom = min(1.0, point[0] + across), min(1.0, point[1] + down)
    return Region(left, top, right - left, bottom - top)


def _crop(task: ScreenshotTask, frame: EncodedFrame, event: ScreenEvent) -> dict[str, Any] | None:
    parts = [Region(**event.region), *([_around(event.pointer, frame)] if event.pointer else ())]
    crop = crop_for((frame.width, frame.height), shown=parts, window=_window(task, event))
    if crop is None:
        return None
    geometry = {"x": crop.x, "y": crop.y, "width": crop.width, "height": crop.height}
    return {"op_type": "crop", "geometry": geometry}


def _window(task: ScreenshotTask, event: ScreenEvent) -> Region | None:
    """Return the window that opened last before an action, if the action is in it and it has not closed since."""
    opened = task.job.screen_events.filter(kind=EventKind.WINDOW, at_ms__lte=task.at_ms)
    window = opened.order_by("-at_ms", "-position").first()
    if window is None:
        return None
    region, of_event = Region(**window.region), Region(**event.region)
    x, y = of_event.x + of_event.width / 2, of_event.y + of_event.height / 2
    if not (region.x <= x <= region.x + region.width and region.y <= y <= region.y + region.height):
        return None
    activity = ScreenActivity.objects.filter(job=task.job_id).values_list("activity", flat=True).first()
    for opened_ms, closed_ms in (activity or {}).get("popups", ()):
        if abs(opened_ms - window.at_ms) <= _SAME_MS and closed_ms <= (task.at_ms or 0):
            return None
    return region
