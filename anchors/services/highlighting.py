"""A ring around the pointer, on the picture of a click."""

from __future__ import annotations

from typing import Any

from anchors.models import Asset, ScreenshotTask
from anchors.render import normalise_operations
from anchors.services.annotation import Annotation
from anchors.services.annotation_tasks import add_annotation_task
from jobs.media.screen import EventKind
from jobs.services.audit import by_system, record_event

_RADIUS = 0.025  # of the picture's width


def ring_click(task: ScreenshotTask, picture: Asset) -> None:
    """Have a ring drawn on the picture that the pipeline took of a click, if the job's options say so.

    It is an annotation like any other: the picture without it is kept, and can be made active again. The caller holds
    the job's lock.
    """
    if not task.is_auto or task.anchor is None or not task.job.options.get("highlight_clicks"):
        return
    clicks = task.job.screen_events.filter(kind=EventKind.CLICK, picture_ms=task.at_ms)
    click = clicks.order_by("at_ms", "position").first()
    if click is None or click.pointer is None:
        return
    operations = normalise_operations([_ring(click.pointer, picture)])
    wanted = Annotation.of(task.anchor, picture, operations)
    drawing = add_annotation_task(wanted, task.job)
    record_event(
        task.job, "SCREENSHOT_REQUESTED", by=by_system(task.correlation_id), data={"task_id": str(drawing.pk)}
    )


def _ring(pointer: list[float], picture: Asset) -> dict[str, Any]:
    """Return a circle around a point; at an edge it is cut off."""
    across, down = _RADIUS, _RADIUS * picture.width / picture.height
    left, top = max(0.0, pointer[0] - across), max(0.0, pointer[1] - down)
    right, bottom = min(1.0, pointer[0] + across), min(1.0, pointer[1] + down)
    geometry = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    return {"op_type": "box", "geometry": geometry, "style": {"radius": _RADIUS}}
