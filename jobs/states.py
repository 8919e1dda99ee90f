"""The job's state machine: the one table that everything else is made from or checked against.

django-fsm's transitions, the database trigger, the check constraint, the errors' `allowed_next_statuses`
and the page `spec/job_fsm.md` come from `TRANSITIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices


class JobStatus(TextChoices):
    CREATED = "CREATED"
    UPLOADING = "UPLOADING"
    UPLOADED = "UPLOADED"
    AUDIO_EXTRACTING = "AUDIO_EXTRACTING"
    AUDIO_READY = "AUDIO_READY"
    TRANSCRIBING = "TRANSCRIBING"
    TRANSCRIPT_READY = "TRANSCRIPT_READY"
    GENERATING = "GENERATING"
    DRAFT_READY = "DRAFT_READY"
    EDITING = "EDITING"
    REGENERATING = "REGENERATING"
    EXPORTING = "EXPORTING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class ActorType(TextChoices):
    """Who makes a change, as `actor_type` of the audit event."""

    EDITOR = "editor"
    ORCHESTRATOR = "orchestrator"
    SYSTEM = "system"
    STAFF = "staff"


S = JobStatus
TERMINAL = frozenset({S.DONE, S.FAILED, S.CANCELLED})
PROCESSING = (S.AUDIO_EXTRACTING, S.AUDIO_READY, S.TRANSCRIBING, S.TRANSCRIPT_READY, S.GENERATING)
PIPELINE = (S.UPLOADED, *PROCESSING, S.DRAFT_READY)
# What a retry may go back to, best first; below them all is UPLOADED.
CHECKPOINTS = (S.DRAFT_READY, S.TRANSCRIPT_READY, S.AUDIO_READY)
HAS_DOCUMENT = frozenset({S.DRAFT_READY, S.EDITING, S.REGENERATING, S.EXPORTING, S.DONE})
MAY_SHOW_TRANSCRIPT = frozenset({S.TRANSCRIPT_READY, S.GENERATING, S.FAILED}) | HAS_DOCUMENT
_OPEN = tuple(status for status in S if status not in TERMINAL)
_OUTSIDE_PIPELINE = tuple(status for status in _OPEN if status not in PIPELINE)
_EDITOR, _SYSTEM = frozenset({ActorType.EDITOR}), frozenset({ActorType.SYSTEM})
_PEOPLE = frozenset({ActorType.EDITOR, ActorType.STAFF})
_CALLBACK = frozenset({ActorType.ORCHESTRATOR, ActorType.SYSTEM})


@dataclass(frozen=True)
class Transition:
    """What a verb does: from which statuses it leads to which one, and who may use it."""

    verb: str
    sources: tuple[JobStatus, ...]
    target: JobStatus
    actor_types: frozenset[ActorType]


def _report(target: JobStatus, *sources: JobStatus) -> Transition:
    return Transition("report", sources, target, _CALLBACK)


TRANSITIONS: tuple[Transition, ...] = (
    Transition("upload", (S.CREATED,), S.UPLOADING, _EDITOR),
    Transition("confirm_upload", (S.CREATED, S.UPLOADING), S.UPLOADED, _EDITOR),
    Transition("run", (S.UPLOADED,), S.AUDIO_EXTRACTING, _EDITOR),
    _report(S.AUDIO_EXTRACTING, S.UPLOADED, S.AUDIO_EXTRACTING),
    _report(S.AUDIO_READY, S.AUDIO_EXTRACTING),
    _report(S.TRANSCRIBING, S.AUDIO_READY, S.TRANSCRIBING),
    _report(S.TRANSCRIPT_READY, S.TRANSCRIBING),
    _report(S.GENERATING, S.TRANSCRIPT_READY, S.GENERATING),
    _report(S.DRAFT_READY, S.GENERATING),
    _report(S.FAILED, *PIPELINE),
    Transition("open_document", (S.DRAFT_READY,), S.EDITING, _EDITOR),
    Transition("regenerate", (S.EDITING,), S.REGENERATING, _EDITOR),
    Transition("finish_regenerate", (S.REGENERATING,), S.EDITING, _SYSTEM),
    Transition("export", (S.EDITING,), S.EXPORTING, _EDITOR),
    Transition("finish_export", (S.EXPORTING,), S.DONE, _SYSTEM),
    Transition("fail_export", (S.EXPORTING,), S.EDITING, _SYSTEM),
    Transition("fail", _OUTSIDE_PIPELINE, S.FAILED, frozenset({ActorType.SYSTEM, ActorType.STAFF})),
    Transition("cancel", _OPEN, S.CANCELLED, _PEOPLE),
    *(Transition("retry", (S.FAILED,), target, _PEOPLE) for target in (S.UPLOADED, *reversed(CHECKPOINTS))),
)
VERBS: tuple[str, ...] = tuple(dict.fromkeys(row.verb for row in TRANSITIONS))


def rows(verb: str) -> tuple[Transition, ...]:
    """Return the rows of one verb, in the table's order."""
    return tuple(row for row in TRANSITIONS if row.verb == verb)


def pairs() -> frozenset[tuple[JobStatus, JobStatus]]:
    """Return every (from, to) that anybody may make: what the database lets through."""
    return frozenset((source, row.target) for row in TRANSITIONS for source in row.sources)


def is_allowed(verb: str, source: str, target: str) -> bool:
    return any(row.target == target and source in row.sources for row in rows(verb))


def allowed_next(source: str, actor_type: ActorType) -> list[str]:
    """Return the statuses that this actor may ask for next, in the table's order; those of a retry excepted."""
    return list(
        dict.fromkeys(
            str(row.target)
            for row in TRANSITIONS
            if row.verb != "retry" and actor_type in row.actor_types and source in row.sources
        )
    )


def allowed_reports(source: str) -> list[str]:
    """Return the statuses that a callback may ask for next."""
    return [str(row.target) for row in rows("report") if source in row.sources]
