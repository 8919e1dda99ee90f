"""Which moment of the video shows each step of a version best."""

from __future__ import annotations

from django.db import transaction

from anchors.activity import Activity
from anchors.models import ScreenActivity
from anchors.services.job_hooks import watch_video
from anchors.suggest import Action, StepSpan, Suggestion, by_actions, suggest
from config.accounts.models import User
from config.api import errors
from instructions.models import Instruction, InstructionVersion
from instructions.queries import Step, read_steps
from jobs.media.screen import EventKind
from jobs.models import Job
from jobs.services.artifacts import newest_artifact
from jobs.services.transitions import lock_job
from jobs.states import JobStatus

SURE = 0.6
"""The confidence from which an action that the screen shows chooses a picture."""

ENDED = (JobStatus.FAILED, JobStatus.CANCELLED)
_PASSING = ("INTERNAL_ERROR", "JOB_CANCELLED", "STORAGE_FULL", "WORKER_LOST")
"""With these a video was not looked at in vain for good."""


def newest_suggestions(job: Job) -> list[Suggestion]:
    """Return a moment for each step of the newest version; none without a document.

    Raises what `suggest_moments` does.
    """
    instruction = Instruction.objects.filter(job=job).first()
    if instruction is None:
        return []
    return suggest_moments(job, instruction.versions.latest("version"))


def suggest_moments(job: Job, version: InstructionVersion) -> list[Suggestion]:
    """Return a moment for each step of a version, in their order; where the video cannot be looked at, the starts.

    Raises the 409 `SCREEN_EVENTS_NOT_READY` until it is known when the screen changes in the video; that is being found
    out then.
    """
    row = ScreenActivity.objects.filter(job=job).first()
    is_final = row is not None and row.status == ScreenActivity.FAILED and row.failure_code not in _PASSING
    if job.status not in ENDED and not is_final and (row is None or row.activity is None):
        with transaction.atomic():
            watch_video(lock_job(job.pk))
        raise errors.not_watched(job.status)
    return moments(job, version, Activity.from_plain(row.activity) if row and row.activity else None)


def moments(job: Job, version: InstructionVersion, activity: Activity | None) -> list[Suggestion]:
    """Return what `suggest_moments` does, by what is known of the video."""
    spans = _spans(steps_of(job, version))
    length = _length_ms(job)
    by_block = by_actions(_actions(job), spans, duration_ms=length)
    if activity is None:
        last = max(0, length - 1) if length else 0
        starts = ((span.block_id, min(span.start_ms, last) if length else span.start_ms) for span in spans)
        found = [Suggestion(block_id, at, 0.0, "step_start") for block_id, at in starts]
    else:
        found = suggest(activity, spans, duration_ms=length or activity.last_ms)
    return [by_block.get(each.block_id, each) for each in found]


def _actions(job: Job) -> list[Action]:
    """Return what the screen shows being done, as far as it is sure and a picture of it is known."""
    done = job.screen_events.filter(kind__in=[EventKind.CLICK, EventKind.TYPE], confidence__gte=SURE)
    rows = done.order_by("at_ms", "position").values_list("at_ms", "picture_ms", "kind", "confidence")
    return [
        Action(at_ms, picture_ms, kind == EventKind.CLICK, confidence)
        for at_ms, picture_ms, kind, confidence in rows
        if picture_ms is not None
    ]


def steps_of(job: Job, version: InstructionVersion) -> list[Step]:
    """Return the steps of a version of a job's document, with the anchors that stand in them."""
    return read_steps(User(pk=job.owner_id), version.instruction_id, version.version)


def _spans(steps: list[Step]) -> list[StepSpan]:
    """Return when the steps are spoken of; a step without a known time begins where the step before it ends."""
    spans, before = [], 0
    for step in steps:
        start, end = step.evidence.start_ms, step.evidence.end_ms
        spans.append(StepSpan(step.block.block_id, before if start is None else start, end))
        before = end or spans[-1].start_ms
    return spans


def _length_ms(job: Job) -> int | None:
    video = newest_artifact(job, "video")
    return (video.data or {}).get("duration_ms") if video else None
