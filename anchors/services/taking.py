"""Perform a screenshot task: take a frame out of the video, and put it on an anchor."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from anchors.frames import (
    MIME_TYPES,
    EncodedFrame,
    ImageFormat,
    KeyFrame,
    Strategy,
    TimestampOutOfRange,
    grab_encoded,
    grab_encoded_together,
)
from anchors.models import Asset, ScreenActivity, ScreenshotTask
from anchors.redacting import hiding_operations
from anchors.services.anchors import add_asset
from anchors.services.concealment import Missing, add_rendering, awaits_search, hidden_parts
from anchors.services.drawing import draw_on_asset
from anchors.services.highlighting import Mark, keep_marks, mark_action
from config import sandbox
from config.sandbox import SandboxError
from config.storage import Stored, kept_folder, storage
from config.work.lease import Lease, LeaseLost
from config.work.models import WorkFailed
from jobs.media.probe import UnreadableVideo
from jobs.services.audit import by_system, record_event
from jobs.services.transitions import lock_job
from jobs.services.videos import open_video

log = logging.getLogger(__name__)

CLOSE_MS = 10_000
"""About what lies between two key frames of a usual recording: one pass over it gives all pictures in between."""
MAX_TOGETHER = 8
"""Pictures of one pass: their files are held in memory, each some megabytes."""


def perform_extraction(task: ScreenshotTask, lease: Lease) -> None:
    """Take the frame, and in the same pass those of waiting tasks that lie close to it; keep each."""
    with _claim_close(task) as others:
        frames = _grab_together([task, *(other for other, _ in others)], lease) if others else None
        _keep(task, frames[0] if frames else _grab(task, lease), lease)
        for (other, its_lease), frame in zip(others, (frames or [])[1:], strict=False):
            try:
                _keep(other, frame, its_lease)
            except LeaseLost:
                log.info("gave up a picture that is no longer ours")


@contextmanager
def _claim_close(task: ScreenshotTask) -> Iterator[list[tuple[ScreenshotTask, Lease]]]:
    """Claim the waiting tasks whose pictures lie close to that of `task`. Those that the block has not ended go back.

    One that was tried before, and failed or was lost, is taken by itself.
    """
    fresh = {"strategy": "precise", "retries": 0, "losses": 0}
    is_fresh = all(getattr(task, name) == value for name, value in fresh.items())
    at_ms = cast(int, task.at_ms)
    close = ScreenshotTask.objects.filter(
        job_id=task.job_id,
        status=ScreenshotTask.WAITING,
        at_ms__range=(max(0, at_ms - CLOSE_MS), at_ms + CLOSE_MS),
        **fresh,
    )
    with ExitStack() as opened:
        claimed = []
        for pk in close.order_by("id").values_list("pk", flat=True)[: MAX_TOGETHER - 1] if is_fresh else ():
            if other := ScreenshotTask.claim(pk):
                lease = Lease(other)
                opened.enter_context(lease.beating())
                opened.callback(_give_back, other)
                claimed.append((other, lease))
        yield claimed


def _give_back(task: ScreenshotTask) -> None:
    if task.status == ScreenshotTask.RUNNING:
        task.requeue()


def _keep(task: ScreenshotTask, frame: EncodedFrame, lease: Lease) -> None:
    """Keep the frame's bytes under their SHA-256, then write the row.

    What redactions hide of it is drawn over first, and what marks its action above that; under the lock it is looked
    whether they have changed meanwhile.
    """
    lease.check()
    stored = storage().save_bytes(kept_folder(task.job_id), frame.content, suffix=f".{task.image_format}")
    hiding = _hiding(task, frame)
    while True:
        covered = _cover(task, stored, hiding, lease) if hiding else None
        marks = mark_action(task, frame, covered[1] if covered else stored, lease)
        with lease.hold(before=lambda: lock_job(task.job_id)):
            if (now_hiding := _hiding(task, frame)) == hiding:
                _finish(task, frame, stored, covered, marks)
                return
        hiding = now_hiding


Operations = list[dict[str, Any]]
Covered = tuple[Operations, Stored, tuple[int, int]]
"""What was drawn over a frame, the file of that, and its width and height."""


def _hiding(task: ScreenshotTask, frame: EncodedFrame) -> Operations:
    """Return what is to be drawn over a frame; nothing while it is not known, and the picture is concealed."""
    if awaits_search(task.job_id):
        return []
    return hiding_operations(hidden_parts(task.job_id), frame.shown_at_ms, frame.shown_until_ms)


def _cover(task: ScreenshotTask, stored: Stored, hiding: Operations, lease: Lease) -> Covered:
    bare = Asset(job_id=task.job_id, uri=stored.uri)
    return hiding, *draw_on_asset(bare, hiding, check=lease.check)


def _finish(
    task: ScreenshotTask, frame: EncodedFrame, stored: Stored, covered: Covered | None, marks: list[Mark]
) -> None:
    """Write the picture, and its redacted rendering in its place if something of it is covered. The job is locked.

    While it is not known what is to be hidden in the video, the picture is concealed, and what stands in its place is
    drawn when that is known.
    """
    asset = add_asset(
        task.job_id,
        task.anchor_id,
        stored,
        kind=Asset.Kind.EXTRACTED,
        mime_type=MIME_TYPES[cast(ImageFormat, task.image_format)],
        size=(frame.width, frame.height),
        is_active=covered is None,
        is_concealed=covered is not None or awaits_search(task.job_id),
        extraction_key=task.request_key,
        extracted_at_ms=frame.shown_at_ms,
        shown_until_ms=frame.shown_until_ms,
        pixels_sha256=frame.pixels_sha256,
        frame={name: getattr(frame, name) for name in ("pts", "time_base", "pix_fmt", "frame_sha256")},
    )
    if covered:
        hiding, drawn, size = covered
        asset = add_rendering(Missing(asset, asset, hiding), drawn, size=size, is_shown=True)
    task.asset, task.extracted_at_ms = asset, frame.shown_at_ms
    task.close(task.SUCCEEDED, "asset", "extracted_at_ms")
    data = {"task_id": str(task.pk), "asset_id": str(asset.pk)}
    record_event(task.job, "SCREENSHOT_TAKEN", by=by_system(task.correlation_id), data=data)
    keep_marks(task, asset, marks)


def _grab_together(tasks: list[ScreenshotTask], lease: Lease) -> list[EncodedFrame] | None:
    """Return the frames of the tasks, by one pass; None if one of them cannot be had."""
    wanted = [(cast(int, task.at_ms), cast(ImageFormat, task.image_format)) for task in tasks]
    try:
        with open_video(tasks[0].job, lease.report) as video:
            return sandbox.call(
                grab_encoded_together,
                video,
                wanted,
                index=_index(tasks[0]),
                limits=sandbox.limits.FRAME.lasting(max(at_ms for at_ms, _ in wanted)),
                returns=(EncodedFrame,),
                raises=(TimestampOutOfRange, UnreadableVideo),
                check=lease.check,
            )
    except (TimestampOutOfRange, UnreadableVideo, SandboxError):
        log.info("one of several pictures cannot be had: each is taken by itself")
        return None


def _index(task: ScreenshotTask) -> list[KeyFrame]:
    found = ScreenActivity.objects.filter(job=task.job_id).values_list("key_frames", flat=True).first()
    return [KeyFrame(*entry) for entry in found or ()]


def _grab(task: ScreenshotTask, lease: Lease) -> EncodedFrame:
    at_ms = cast(int, task.at_ms)  # which a picture of the video has
    try:
        with open_video(task.job, lease.report) as video:
            return sandbox.call(
                grab_encoded,
                video,
                at_ms,
                strategy=cast(Strategy, task.strategy),
                image_format=cast(ImageFormat, task.image_format),
                index=_index(task),
                limits=sandbox.limits.FRAME.lasting(at_ms),  # at worst, all before it is decoded
                returns=(EncodedFrame,),
                raises=(TimestampOutOfRange, UnreadableVideo),
                check=lease.check,
            )
    except TimestampOutOfRange as error:
        raise WorkFailed("TIMESTAMP_OUT_OF_RANGE", "The video has no picture at this time.") from error
    except UnreadableVideo as error:
        raise WorkFailed("VIDEO_UNREADABLE", str(error)) from error
