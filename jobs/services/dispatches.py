"""The dispatch protocol: the row first, the orchestrator outside any transaction, then the outcome.

    opened --send--> accepted: the job moves on; our own workers, or an HTTP orchestrator, perform it
       |             refused: the job as it was; asked for again the dispatch is opened again, with the same id
       |             no answer: it may have begun, so it stays open and is sent again, under the same id only
       '-- killed in between: the same, once its lease has run out

A callback of a dispatch that still waits for its answer proves that it was accepted (`accept`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from enum import Enum

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from config.api import errors
from config.locks import place
from config.work.lanes import Lane
from config.work.lease import Lease
from config.work.models import WorkFailed
from jobs.models import Dispatch, Job, PipelineRun
from jobs.orchestrators import AnswerLost, NotAccepted, orchestrator
from jobs.services.artifacts import newest_artifact
from jobs.services.audit import Attribution
from jobs.services.messages import enqueue_cancellation, payload
from jobs.services.transitions import lock_job, move_job, transition_refused
from jobs.states import ActorType, JobStatus

log = logging.getLogger(__name__)

SENDING_LEASE = timedelta(seconds=12)  # longer than a whole call to an orchestrator
POLL_SECONDS = 0.05
# Callers of one user that send a dispatch or wait for its outcome, over all processes: each holds a thread, and
# one of a process's `calls` (config.front.bounds) is to be left for others.
MAX_CALLERS = 3
MAX_SHORT_MS = (
    10 * 60 * 1000
)  # of a recording; those that are longer, or of unknown length, have a lane of their own
NOT_TAKEN = WorkFailed("ORCHESTRATOR_DISPATCH_FAILED", "The orchestrator did not take the job. Try again.")


class SendRole(Enum):
    """What a caller has to do with a dispatch."""

    JOIN = "another caller sends it, or it is accepted: wait for the outcome"
    SEND = "send it for the first time"
    RESEND = "send it again: it may have been sent before, with what result is not known"


def deliver(
    caller_id: str, open_or_join: Callable[[], tuple[Dispatch, SendRole]]
) -> tuple[Job, Dispatch, bool]:
    """Bring one dispatch to its outcome; return (job, dispatch, replayed).

    `open_or_join` opens or finds the dispatch in a transaction, and says what this caller's role is. Of many
    callers at once one sends; the others wait for its outcome and share it. A user has MAX_CALLERS that send or
    wait, for whatever jobs: of more callers, who would wait gets the open dispatch at once, and who would send a
    429, with nothing written. Raises 502 when the orchestrator did not take it, and 409 when the job was cancelled
    meanwhile.
    """
    while True:
        with ExitStack() as held:
            with transaction.atomic():
                dispatch, role = open_or_join()
                if dispatch.accepted_at and role is SendRole.JOIN:
                    break
                # Under the lock of the user's row: nobody has a place here who does not use it.
                has_place = held.enter_context(place(f"dispatches of {caller_id}", places=MAX_CALLERS))
                if not has_place and role is not SendRole.JOIN:
                    raise _too_many_callers()
            if role is not SendRole.JOIN:
                return _send_and_tell(dispatch, role)
            if not has_place:
                break
            _wait_for_outcome(dispatch)
    return Job.objects.get(pk=dispatch.job_id), dispatch, True


def _send_and_tell(dispatch: Dispatch, role: SendRole) -> tuple[Job, Dispatch, bool]:
    try:
        job, dispatch = _send(dispatch, role)
    except errors.ApiError:  # cancelled and deleted meanwhile
        enqueue_cancellation(dispatch)
        raise
    if job.status == JobStatus.CANCELLED:
        enqueue_cancellation(dispatch)  # once more: the first word may have overtaken the dispatch
        raise transition_refused(job, attempted=dispatch.resume_from_status or JobStatus.AUDIO_EXTRACTING)
    if not dispatch.accepted_at:
        raise not_taken()
    return job, dispatch, False


def _too_many_callers() -> errors.ApiError:
    return errors.rate_limited(
        "The orchestrator has not answered other calls of yours yet.",
        hint="Wait until it has, then call again.",
        seconds=5,
    )


def not_taken() -> errors.ApiError:
    return errors.ApiError(
        502,
        "ORCHESTRATOR_DISPATCH_FAILED",
        "The orchestrator did not take the job.",
        hint="Nothing has changed. Call again in a moment.",
        headers={"Retry-After": "5"},
    )


def is_being_sent(dispatch: Dispatch) -> bool:
    """Return whether somebody holds it to send it, by the clock of the database, which leases are written by."""
    return Dispatch.objects.filter(
        pk=dispatch.pk, status=Dispatch.SENDING, lease_expires_at__gt=Now()
    ).exists()


def _wait_for_outcome(dispatch: Dispatch) -> None:
    """Wait until whoever sends is done or dead. Raises its 502; returns when asking again will tell."""
    while True:
        time.sleep(POLL_SECONDS)
        now = Dispatch.objects.filter(pk=dispatch.pk).first()
        if now is None or now.accepted_at or now.status == Dispatch.CLOSED:
            return
        if is_being_sent(now):
            continue
        if now.status == Dispatch.SENDING:  # its lease ran out: whoever sent it is dead
            return
        raise not_taken()


def resend_dispatch(dispatch: Dispatch, lease: Lease) -> None:
    """Send a claimed dispatch again, whose sender was lost or got no answer; runs in a worker."""
    job, _ = _send(dispatch, SendRole.RESEND)
    if job.status == JobStatus.CANCELLED:
        enqueue_cancellation(dispatch)


def leave_unanswered(dispatch: Dispatch, failure: WorkFailed, *, lease: Lease) -> None:
    """Leave a dispatch open that no worker could send: the orchestrator may have begun before."""
    with _locked(dispatch) as (_, row):
        lease.verify()
        row.close(Dispatch.UNANSWERED)


def give_up_dispatch(dispatch: Dispatch) -> None:
    """Close a dispatch that was never answered, and have the orchestrator told."""
    with _locked(dispatch) as (_, row):
        if row.status == Dispatch.UNANSWERED and row.attempt == dispatch.attempt:
            row.close(Dispatch.REFUSED, failure=NOT_TAKEN)
            enqueue_cancellation(row)


def _send(dispatch: Dispatch, role: SendRole) -> tuple[Job, Dispatch]:
    """Send a dispatch that this caller holds, and write down what became of it; return both rows anew.

    A refusal says nothing of a time before, so a dispatch that is sent again stays open. Raises 404 when the
    job was deleted meanwhile.
    """
    job = Job.objects.filter(pk=dispatch.job_id).first()
    if job is None:
        raise errors.not_found()
    outcome = accept
    try:
        orchestrator(dispatch.orchestrator).send(str(dispatch.pk), payload(job, dispatch))
    except NotAccepted as error:
        log.warning("dispatch %s was not accepted: %s", dispatch.pk, error)
        outcome = _keep_open if role is SendRole.RESEND else _refuse
    except AnswerLost as error:
        log.warning("dispatch %s got no answer: %s", dispatch.pk, error)
        outcome = _keep_open
    with _locked(dispatch) as (job, row):
        # A callback or a cancel may have been first; and a failure counts only while nobody else has taken it.
        if row.is_open and not row.accepted_at and (outcome is accept or _is_mine(row, dispatch)):
            outcome(job, row)
    return job, row


@contextmanager
def _locked(dispatch: Dispatch) -> Iterator[tuple[Job, Dispatch]]:
    """Open a transaction that locks the job and the dispatch, in this order, and read both anew. Raises 404."""
    with transaction.atomic():
        job = lock_job(dispatch.job_id)
        yield job, Dispatch.objects.select_for_update(of=("self",)).get(pk=dispatch.pk)


def _is_mine(row: Dispatch, claimed: Dispatch) -> bool:
    return row.status == Dispatch.SENDING and row.attempt == claimed.attempt


def accept(job: Job, dispatch: Dispatch) -> None:
    """Move the job on, for the orchestrator has taken it. The caller holds both locks."""
    dispatch.accepted_at = timezone.now()
    is_done = dispatch.resume_from_status == JobStatus.DRAFT_READY  # nothing is left to perform
    dispatch.close(Dispatch.CLOSED if is_done else Dispatch.ACCEPTED, "accepted_at")
    if orchestrator(dispatch.orchestrator).performs_here and not is_done:
        _open_run(job, dispatch)
    job.dispatch = dispatch
    actor_type = ActorType(dispatch.requested_as)
    by = Attribution(actor_type, dispatch.requested_by, dispatch.correlation_id, dispatch.reason)
    data = {"dispatch_id": str(dispatch.pk)}
    if dispatch.kind == Dispatch.Kind.RETRY:
        job.failure = None
        data |= {"checkpoint_ref": dispatch.checkpoint_ref, "model_profile": dispatch.model_profile}
        move_job(job, "retry", by=by, target=JobStatus(dispatch.resume_from_status), data=data)
    else:
        move_job(job, "run", by=by, data=data)


def _open_run(job: Job, dispatch: Dispatch) -> None:
    video = newest_artifact(job, "video")
    duration_ms = (video.data or {}).get("duration_ms") if video else None
    is_short = duration_ms is not None and duration_ms <= MAX_SHORT_MS
    run = PipelineRun.objects.create(
        job=job,
        owner_id=job.owner_id,
        lane=Lane.SPEECH if is_short else Lane.BACKFILL,
        dispatch=dispatch,
        status=PipelineRun.WAITING,
        correlation_id=dispatch.correlation_id,
    )
    run.enqueue_on_commit()


def _refuse(job: Job, dispatch: Dispatch) -> None:
    dispatch.close(Dispatch.REFUSED, failure=NOT_TAKEN)


def _keep_open(job: Job, dispatch: Dispatch) -> None:
    """Have it sent again under this id, three times soon; then it waits for a callback, for the next call, or
    for the time after which it is given up."""
    if not dispatch.retry_later():
        dispatch.close(Dispatch.UNANSWERED)


def close_dispatch(job: Job, *, failure: WorkFailed | None = None) -> bool:
    """End the open dispatch of a locked job, and what our own workers do for it; return whether there was one."""
    # One statement for both tables, for it is part of every callback that ends a job.
    ended = "lease_expires_at = NULL, updated_at = %(now)s, failure_code = %(code)s"
    ended += ", failure_message = %(message)s, failed_stage = %(stage)s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH run AS (
                UPDATE {PipelineRun._meta.db_table} SET status = %(run_status)s, {ended},
                    progress_pct = CASE WHEN %(code)s = '' THEN 100 ELSE progress_pct END
                WHERE job_id = %(job_id)s AND status = ANY(%(open_runs)s))
            UPDATE {Dispatch._meta.db_table} SET status = %(closed)s, {ended}
            WHERE job_id = %(job_id)s AND status = ANY(%(open)s)""",  # our tables and columns  # nosec B608
            {
                "run_status": PipelineRun.FAILED if failure else PipelineRun.SUCCEEDED,
                "closed": Dispatch.CLOSED,
                "now": timezone.now(),
                "code": failure.code if failure else "",
                "message": failure.message if failure else "",
                "stage": failure.stage if failure else "",
                "job_id": job.pk,
                "open_runs": list(PipelineRun.OPEN),
                "open": list(Dispatch.OPEN),
            },
        )
        return cursor.rowcount > 0
