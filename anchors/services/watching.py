"""Find out when the screen changes in a job's video, and make the pictures of its draft then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

from django.db import transaction

from anchors.activity import Activity, Change, watch
from anchors.frames import KeyFrame, key_frame_index
from anchors.models import ScreenActivity
from anchors.services.auto import PictureMaking
from anchors.services.resolutions import resolve_anchors
from anchors.services.suggestions import moments
from config import sandbox
from config.work.lease import Lease
from config.work.models import WorkFailed
from instructions.models import Instruction, InstructionVersion
from jobs.media.probe import UnreadableVideo
from jobs.models import Job
from jobs.services.audit import by_system
from jobs.services.transitions import lock_job
from jobs.services.videos import length_ms, open_video


def perform_watch(row: ScreenActivity, lease: Lease) -> None:
    """Look at the video, keep what was found, and then make the pictures of the newest draft if it has come."""
    if row.activity is None:
        activity, key_frames = _watch(row, lease)
        row.activity, row.key_frames = activity.as_plain(), key_frames
        with lease.hold(before=lambda: None):
            row.save(update_fields=["activity", "key_frames"])
    _end(row, lambda: lease.hold(before=lambda: lock_job(row.job_id)), lambda at_ms: _finish(row, at_ms))


def _end(
    row: ScreenActivity,
    hold: Callable[[], AbstractContextManager[object]],
    close: Callable[[dict[str, int]], None],
) -> None:
    """Close the row with the moments of the draft, if one has come: they are found outside of locks, and it is looked
    under the lock whether the draft has come meanwhile."""
    makes_pictures = False
    while True:
        at_ms = _moments_of_draft(row) if makes_pictures else {}
        with hold():
            row.refresh_from_db(fields=["makes_pictures"])
            if makes_pictures == row.makes_pictures:
                close(at_ms)
                return
        makes_pictures = row.makes_pictures


def _watch(row: ScreenActivity, lease: Lease) -> tuple[Activity, list[KeyFrame]]:
    limits = sandbox.limits.ACTIVITY.lasting(length_ms(row.job))
    try:
        with open_video(row.job, lease.report) as video:
            activity = sandbox.call(
                watch,
                video,
                limits=limits,
                returns=(Activity, Change),
                raises=(UnreadableVideo,),
                on_progress=lease.report,
                check=lease.check,
            )
            key_frames = sandbox.call(
                key_frame_index,
                video,
                limits=limits,
                returns=(KeyFrame,),
                raises=(UnreadableVideo,),
                check=lease.check,
            )
    except UnreadableVideo as error:
        raise WorkFailed("VIDEO_UNREADABLE", str(error)) from error
    return activity, key_frames


def _draft(job_id: UUID) -> InstructionVersion | None:
    drafts = InstructionVersion.objects.filter(instruction__job_id=job_id, source="draft")
    return drafts.order_by("version").last()


def _moments_of_draft(row: ScreenActivity) -> dict[str, int]:
    """Return by block id a moment for each step of the newest draft."""
    version = _draft(row.job_id)
    if version is None:
        return {}
    resolve_anchors(list(version.instruction.anchors.all()), version)
    activity = Activity.from_plain(row.activity) if row.activity else None
    return {found.block_id: found.timestamp_ms for found in moments(row.job, version, activity)}


def _finish(row: ScreenActivity, at_ms: dict[str, int]) -> None:
    """Make the pictures, and close the row; its job is locked."""
    _make_pictures(row, at_ms)
    row.close(row.SUCCEEDED, "makes_pictures")


def _make_pictures(row: ScreenActivity, at_ms: dict[str, int]) -> None:
    version = _draft(row.job_id) if at_ms else None
    if version:
        job = Job.objects.get(pk=row.job_id)
        instruction = Instruction.objects.get(pk=version.instruction_id)
        by = by_system(row.correlation_id)
        PictureMaking(job, instruction, version, at_ms, by, skips_when_full=True).make()
    row.makes_pictures = False


def fail_watch(row: ScreenActivity, failure: WorkFailed, *, lease: Lease) -> None:
    """Write the failure down; a draft that waits for its pictures gets those of its steps' starts."""

    def close(at_ms: dict[str, int]) -> None:
        _make_pictures(row, at_ms)
        row.close(row.FAILED, "makes_pictures", failure=failure)

    @contextmanager
    def hold() -> Iterator[None]:
        with transaction.atomic():
            lock_job(row.job_id)
            lease.verify()
            yield

    _end(row, hold, close)
