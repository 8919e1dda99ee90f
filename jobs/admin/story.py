"""What happened to a job, from its rows: the spans of its states and of the work done for it, and each event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, zip_longest
from typing import Any

from django.apps import apps
from django.utils import timezone

from config.accounts.models import User
from config.work.models import WorkRow
from jobs import states
from jobs.models import AuditEvent, CallbackEvent, Dispatch, Job, RefusedCallback, RefusedCallbackCount
from jobs.states import ActorType, JobStatus

_Told = AuditEvent | CallbackEvent | RefusedCallback
MAX_EVENTS = 500  # of each kind that a page shows; of more, the newest
MIN_WIDTH = 0.6  # per cent of the axis, so that a moment can be seen
_WAITING_FOR_OWNER = (
    JobStatus.CREATED,
    JobStatus.UPLOADING,
    JobStatus.UPLOADED,
    JobStatus.DRAFT_READY,
    JobStatus.EDITING,
)
TONES = {
    **dict.fromkeys(_WAITING_FOR_OWNER, "waits"),
    **dict.fromkeys(states.PROCESSING, "works"),
    JobStatus.REGENERATING: "works",
    JobStatus.EXPORTING: "works",
    JobStatus.DONE: "good",
    JobStatus.FAILED: "bad",
    JobStatus.CANCELLED: "over",
}
"""How a status is coloured."""
NOW = {
    JobStatus.CREATED: "Its owner has still to upload a video.",
    JobStatus.UPLOADING: "Its owner uploads a video.",
    JobStatus.UPLOADED: "The video is there. Its owner has still to start it.",
    JobStatus.AUDIO_EXTRACTING: "The sound is taken out of the video.",
    JobStatus.AUDIO_READY: "The sound is there and waits to be transcribed.",
    JobStatus.TRANSCRIBING: "What is said is transcribed.",
    JobStatus.TRANSCRIPT_READY: "The transcript is there. The draft is next.",
    JobStatus.GENERATING: "The instruction is drafted.",
    JobStatus.DRAFT_READY: "The draft is there. Its owner has not opened it yet.",
    JobStatus.EDITING: "Its owner edits the instruction.",
    JobStatus.REGENERATING: "A passage is rewritten.",
    JobStatus.EXPORTING: "An export is made.",
    JobStatus.DONE: "The guide was exported. The document can still be edited.",
    JobStatus.FAILED: "It failed, and waits for a retry.",
    JobStatus.CANCELLED: "It was cancelled, and stays so.",
}


@dataclass(frozen=True)
class Span:
    """Something that took time; `ended_at` is None of what goes on. `left` and `width` are per cent of the axis."""

    lane: str
    label: str
    tone: str
    began_at: datetime
    ended_at: datetime | None
    detail: str = ""
    left: float = 0.0
    width: float = 100.0

    @property
    def took(self) -> timedelta:
        return (self.ended_at or timezone.now()) - self.began_at


@dataclass(frozen=True)
class Moment:
    """An event, and how long after the one before it came. `code` is its type, `facts` are what its row says beside.

    `same` are those of the same kind that followed with nothing between, such as ten pictures asked for at once.
    """

    at: datetime
    code: str
    title: str
    by: str
    gap: timedelta
    tone: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    same: tuple[Moment, ...] = ()


@dataclass(frozen=True)
class Story:
    """All that a page tells. `lanes` has spans by the name of their lane; `only_counted` callbacks were refused after
    those among the moments."""

    now: str
    tone: str
    in_state_since: datetime
    began_at: datetime
    until: datetime
    lanes: dict[str, list[Span]]
    moments: list[Moment]
    only_counted: int
    correlation_ids: dict[str, str]


def read_story(job: Job) -> Story:
    """Return the story of a job, in one statement a table."""
    events = _newest(job.events.all())
    applied = _newest(job.callback_events.all())
    refused = list(job.refused_callbacks.order_by("pk"))
    counted = RefusedCallbackCount.objects.filter(job=job).values_list("number", flat=True).first() or 0
    work = list(_work_rows(job))
    until = max([timezone.now() if job.status not in states.TERMINAL else job.updated_at, job.updated_at])
    spans = [*_states(job, events), *(_of_row(row) for row in work)]
    began = min([job.created_at, *(span.began_at for span in spans)])
    lanes: dict[str, list[Span]] = {}
    for span in spans:
        lanes.setdefault(span.lane, []).append(_placed(span, began, until))
    changes = [
        event.occurred_at for event in events if event.new_status and event.new_status != event.prev_status
    ]
    return Story(
        now=NOW[JobStatus(job.status)],
        tone=TONES[JobStatus(job.status)],
        in_state_since=max(changes, default=job.created_at),
        began_at=began,
        until=until,
        lanes=lanes,
        moments=list(_folded(_moments(events, applied, refused, _names(events)))),
        only_counted=max(0, counted - len(refused)),
        correlation_ids=_correlation_ids(events, work),
    )


def _newest(rows: Any) -> list[Any]:
    """Return the newest rows of one job, in the order in which they were written."""
    return list(rows.order_by("-pk")[:MAX_EVENTS])[::-1]


def _work_rows(job: Job) -> Iterator[WorkRow]:
    """Yield the rows of every kind of work that was done for a job, later apps' too."""
    for model in apps.get_models():
        if issubclass(model, WorkRow) and any(field.name == "job" for field in model._meta.fields):
            rows = model._default_manager.filter(**{"job": job})
            yield from _newest(rows.defer(*_large(model)))


def _large(model: type[WorkRow]) -> Iterator[str]:
    """Yield the fields that hold documents."""
    for field in model._meta.concrete_fields:
        if field.get_internal_type() in ("JSONField", "TextField"):
            yield field.name


def _states(job: Job, events: Sequence[AuditEvent]) -> Iterator[Span]:
    """Yield the span of each status, from the audit events that changed it."""
    changes = [event for event in events if event.new_status]
    for event, following in zip_longest(changes, changes[1:]):
        ended = following.recorded_at if following else None
        if following is None and event.new_status in states.TERMINAL:
            ended = event.recorded_at
        tone = TONES[JobStatus(event.new_status)]
        yield Span("States", event.new_status, tone, event.recorded_at, ended)


def _of_row(row: WorkRow) -> Span:
    is_over = row.status not in (row.WAITING, row.RUNNING) and not (isinstance(row, Dispatch) and row.is_open)
    tone = "bad" if row.status == row.FAILED else "good" if is_over else "works"
    name = str(row._meta.verbose_name).capitalize()
    what = " ".join(filter(None, (getattr(row, field, "") for field in ("kind", "operation", "format"))))
    tried = f", attempt {row.attempt}" if row.attempt > 1 else ""
    detail = f"{row.failure_code} {row.failure_message}".strip()
    return Span(
        lane=name,
        label=f"{what} {row.status}{tried}".strip(),
        tone=tone,
        began_at=row.created_at,
        ended_at=row.updated_at if is_over else None,
        detail=detail,
    )


def _placed(span: Span, began: datetime, until: datetime) -> Span:
    whole = max((until - began).total_seconds(), 1.0)
    left = (span.began_at - began).total_seconds() / whole * 100
    right = ((span.ended_at or until) - began).total_seconds() / whole * 100
    width = max(MIN_WIDTH, right - left)
    left = min(left, 100 - width)
    return Span(
        span.lane,
        span.label,
        span.tone,
        span.began_at,
        span.ended_at,
        span.detail,
        round(left, 2),
        round(width, 2),
    )


def _names(events: Iterable[AuditEvent]) -> Mapping[str, str]:
    """Return the names of the users who did something, by their ids."""
    people = {event.actor_id for event in events if event.actor_type in (ActorType.EDITOR, ActorType.STAFF)}
    return {str(user.pk): str(user) for user in User.objects.filter(pk__in=people)}


def _folded(moments: Iterable[Moment]) -> Iterator[Moment]:
    """Yield the events, of those of one kind that follow each other and change no state the first with the others."""
    for (_, _, changes), group in groupby(moments, key=lambda each: (each.code, each.by, bool(each.tone))):
        first, *others = group
        if changes:
            yield from (first, *others)
        else:
            yield replace(first, same=tuple(others))


def _moments(
    events: Sequence[AuditEvent],
    applied: Iterable[CallbackEvent],
    refused: Iterable[RefusedCallback],
    names: Mapping[str, str],
) -> list[Moment]:
    reported = {event.data.get("event_id") for event in events}
    told: list[tuple[datetime, _Told]] = [(event.recorded_at, event) for event in events]
    told += [(event.created_at, event) for event in refused]
    told += [(event.created_at, event) for event in applied if event.event_id not in reported]
    moments: list[Moment] = []
    before = None
    for at, event in sorted(told, key=lambda each: (each[0], str(each[1].pk))):
        gap = at - before if before else timedelta(0)
        moments.append(_of_event(event, at, gap, names))
        before = at
    return moments


def _of_event(event: _Told, at: datetime, gap: timedelta, names: Mapping[str, str]) -> Moment:
    if isinstance(event, RefusedCallback):
        said = (
            ("why", event.message),
            ("fields", event.fields),
            ("status", event.status),
            ("event_id", event.event_id),
            ("dispatch_id", str(event.sent_dispatch_id or "")),
        )
        shown = tuple((name, value) for name, value in said if value)
        title = f"Callback refused: {event.code}"
        return Moment(at, "CALLBACK_REFUSED", title, "orchestrator", gap, "bad", shown)
    if isinstance(event, CallbackEvent):
        occurred = event.occurred_at.isoformat(timespec="seconds")
        told = (("event_id", event.event_id), ("occurred at", occurred))
        return Moment(at, "CALLBACK", f"Callback applied: {event.status}", "orchestrator", gap, facts=told)
    facts = [(name, str(value)) for name, value in sorted(event.data.items()) if value not in (None, "", [])]
    if event.new_status:
        facts.insert(0, ("status", f"{event.prev_status or 'new'} → {event.new_status}"))
    tone = TONES[JobStatus(event.new_status)] if event.new_status else ""
    by = " ".join(filter(None, (event.actor_type, names.get(event.actor_id, event.actor_id))))
    return Moment(at, event.event_type, _title(event), by, gap, tone, tuple(facts))


def _correlation_ids(events: Iterable[AuditEvent], work: Iterable[WorkRow]) -> dict[str, str]:
    """Return what first had each id, by the ids, the newest first."""
    first: dict[str, str] = {}
    for event in events:
        first.setdefault(event.correlation_id, _title(event))
    for row in work:
        first.setdefault(row.correlation_id, str(row._meta.verbose_name).capitalize())
    return {each: what for each, what in reversed(first.items()) if each}


def _title(event: AuditEvent) -> str:
    return event.event_type.replace("_", " ").capitalize()
