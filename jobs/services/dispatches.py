"""The dispatch protocol: the row first, the orchestrator outside any transaction, then the outcome.

    opened --send--> accepted: the job moves on; our own workers, or an HTTP orchestrator, perform it
       |             refused: closed, the job as it was; asked for again it is opened again, with the same id
       |             no answer: it may have begun, so it stays open and is sent again, under the same id only
       '-- killed in between: the same, once its lease has run out

A callback of a dispatch that still waits for its answer proves that it was accepted (`accept`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from config.api import errors
from jobs.models import Dispatch, Job
from jobs.orchestrators import AnswerLost, NotAccepted, orchestrator
from jobs.services.messages import payload, ring_cancelled
from jobs.services.transitions import By, lock_job, move_job, transition_refused
from jobs.states import Actor, JobStatus
from jobs.work import Lease, WorkFailed

log = logging.getLogger(__name__)

SENDING = timedelta(seconds=12)  # the lease of whoever sends: longer than a whole call to an orchestrator
POLL_SECONDS = 0.05
UNANSWERED = "ORCHESTRATOR_UNANSWERED"  # marks a dispatch that is not sent again by itself
NOT_TAKEN = WorkFailed("ORCHESTRATOR_DISPATCH_FAILED", "The orchestrator did not take the job. Try again.")


class Part(Enum):
    """What a caller has to do with a dispatch; AGAIN: it may have been sent before, with what result unknown."""

    WAIT = "wait"
    SEND = "send"
    SEND_AGAIN = "send again"


def hand_over(ask: Callable[[], tuple[Dispatch, Part]]) -> tuple[Job, Dispatch, bool]:
    """Bring one dispatch to its outcome; answers (job, dispatch, replayed).

    `ask` opens or finds the dispatch in a transaction, and says what this caller's part is. Of many callers
    at once one sends; the others wait for its outcome and share it. Raises 502 when the orchestrator
    did not take it, and 409 when the job was cancelled meanwhile.
    """
    while True:
        with transaction.atomic():
            dispatch, part = ask()
        if part is not Part.WAIT:
            break
        if dispatch.accepted_at:
            return Job.objects.get(pk=dispatch.job_id), dispatch, True
        _wait_for_outcome(dispatch)
    try:
        job, dispatch = send(dispatch, is_again=part is Part.SEND_AGAIN)
    except errors.ApiError:  # cancelled and deleted meanwhile
        ring_cancelled(dispatch)
        raise
    if job.status == JobStatus.CANCELLED:
        ring_cancelled(dispatch)  # once more: the first word may have overtaken the dispatch
        raise transition_refused(job, attempted=dispatch.resume_from_status or JobStatus.AUDIO_EXTRACTING)
    if not dispatch.accepted_at:
        raise not_taken()
    return job, dispatch, False


def not_taken() -> errors.ApiError:
    return errors.ApiError(
        502,
        "ORCHESTRATOR_DISPATCH_FAILED",
        "The orchestrator did not take the job.",
        hint="Nothing has changed. Call again in a moment.",
        headers={"Retry-After": "5"},
    )


def begin_sending(job: Job, dispatch: Dispatch) -> Part:
    """Take a dispatch for this caller to send. The caller holds the locks of the job and of the dispatch."""
    now = timezone.now()
    part = Part.SEND_AGAIN if dispatch.is_open else Part.SEND
    dispatch.status, dispatch.attempt = Dispatch.RUNNING, dispatch.attempt + 1
    dispatch.heartbeat_at, dispatch.lease_expires_at = now, now + SENDING
    dispatch.updated_at = now
    dispatch.failure_code = dispatch.failure_message = ""
    dispatch.save()
    if job.dispatch_id != dispatch.pk:
        Job.objects.filter(pk=job.pk).update(dispatch=dispatch)
    return part


def is_being_sent(dispatch: Dispatch) -> bool:
    lease = dispatch.lease_expires_at
    return dispatch.status == Dispatch.RUNNING and lease is not None and lease > timezone.now()


def _wait_for_outcome(dispatch: Dispatch) -> None:
    """Until whoever sends is done or dead. Raises its 502; returns when asking again will tell."""
    while True:
        time.sleep(POLL_SECONDS)
        now = Dispatch.objects.filter(pk=dispatch.pk).first()
        if now is None or now.accepted_at or now.failure_code == "JOB_CANCELLED":
            return
        if is_being_sent(now):
            continue
        if now.status == Dispatch.RUNNING:  # its lease ran out: whoever sent it is dead
            return
        raise not_taken()


def send(dispatch: Dispatch, *, is_again: bool) -> tuple[Job, Dispatch]:
    """Send a dispatch that this caller has taken, and write down what became of it; answers both rows anew.

    `is_again`: it may have been sent before, and what became of that is not known. A refusal says nothing of
    the time before, so such a dispatch stays open. Raises 404 when the job was deleted meanwhile.
    """
    job = Job.objects.filter(pk=dispatch.job_id).first()
    if job is None:
        raise errors.not_found()
    try:
        orchestrator(dispatch.orchestrator).send(str(dispatch.pk), payload(job, dispatch))
        outcome = accept
    except NotAccepted as error:
        log.warning("dispatch %s was not accepted: %s", dispatch.pk, error)
        outcome = _keep_open if is_again else _refuse
    except AnswerLost as error:
        log.warning("dispatch %s got no answer: %s", dispatch.pk, error)
        outcome = _keep_open
    with transaction.atomic():
        job = lock_job(dispatch.job_id)
        row = Dispatch.objects.select_for_update(of=("self",)).get(pk=dispatch.pk)
        # A callback or a cancel may have been first; and a failure counts only while nobody else has taken it.
        if row.is_open and not row.accepted_at and (outcome is accept or row.attempt == dispatch.attempt):
            outcome(job, row)
    return job, row


def accept(job: Job, dispatch: Dispatch) -> None:
    """The orchestrator took it: move the job on. The caller holds both locks."""
    performs_here = orchestrator(dispatch.orchestrator).performs_here
    dispatch.accepted_at = dispatch.available_at = dispatch.updated_at = timezone.now()
    dispatch.lease_expires_at, dispatch.retries, dispatch.failure_code = None, 0, ""
    if dispatch.resume_from_status == JobStatus.DRAFT_READY:
        dispatch.status = Dispatch.SUCCEEDED  # nothing is left to perform
    elif performs_here:
        dispatch.status, dispatch.attempt = Dispatch.WAITING, 0  # from here on performing is counted
        dispatch.ring()
    else:
        # In the orchestrator's hands. Whoever sent it holds it no more, so that no heartbeat gives it a lease
        # again and no shutdown gives it back.
        dispatch.status, dispatch.attempt = Dispatch.RUNNING, dispatch.attempt + 1
    dispatch.save()
    job.dispatch = dispatch
    by = By(Actor.EDITOR, dispatch.requested_by, dispatch.correlation_id)
    if dispatch.kind == Dispatch.Kind.RETRY:
        data = {"checkpoint_ref": dispatch.checkpoint_ref, "model_profile": dispatch.model_profile}
        target = JobStatus(dispatch.resume_from_status)
        job.failure = None
        move_job(job, "retry", by=by, target=target, data={"dispatch_id": str(dispatch.pk), **data})
    else:
        move_job(job, "run", by=by, data={"dispatch_id": str(dispatch.pk)})


def _refuse(job: Job, dispatch: Dispatch) -> None:
    dispatch.close(Dispatch.FAILED, failure=NOT_TAKEN)


def _keep_open(job: Job, dispatch: Dispatch) -> None:
    """It may have begun: it is sent again under this id, three times soon, and then waits for a callback, for
    the next call, or for the time after which a silent job is given up."""
    if dispatch.take_back():
        return
    patience = timedelta(minutes=settings.JOB_TIMEOUT_MINUTES)
    Dispatch.objects.filter(pk=dispatch.pk).update(
        status=Dispatch.WAITING,
        lease_expires_at=None,
        available_at=timezone.now() + patience,
        failure_code=UNANSWERED,
    )


def perform_dispatch(dispatch: Dispatch, lease: Lease) -> None:
    """What a worker does with a claimed dispatch: send it when its sender was lost, else perform it."""
    if dispatch.accepted_at is None:
        if dispatch.failure_code == UNANSWERED:
            _give_up(dispatch)
        elif send(dispatch, is_again=True)[0].status == JobStatus.CANCELLED:
            ring_cancelled(dispatch)
    elif orchestrator(dispatch.orchestrator).performs_here:
        from jobs.orchestrators.local import perform_stages

        perform_stages(dispatch, lease)
    else:  # it is the orchestrator's: out of the hands of all workers
        Dispatch.objects.filter(pk=dispatch.pk, attempt=dispatch.attempt).update(
            attempt=dispatch.attempt + 1, lease_expires_at=None
        )


def _give_up(dispatch: Dispatch) -> None:
    with transaction.atomic():
        lock_job(dispatch.job_id)
        row = Dispatch.objects.select_for_update(of=("self",)).get(pk=dispatch.pk)
        if row.is_open and not row.accepted_at and row.attempt == dispatch.attempt:
            row.close(Dispatch.FAILED, failure=NOT_TAKEN)
            ring_cancelled(row)


def fail_dispatch(dispatch: Dispatch, failure: WorkFailed, *, lease: Lease | None) -> None:
    """No worker brought it to its end: the job fails if it had been accepted, else the dispatch stays open."""
    if dispatch.accepted_at is not None:
        from jobs.orchestrators.local import report_failure

        report_failure(dispatch, failure, lease=lease)
        return
    with transaction.atomic():
        job = lock_job(dispatch.job_id)
        row = Dispatch.objects.select_for_update(of=("self",)).get(pk=dispatch.pk)
        if row.is_open and not row.accepted_at and row.attempt == dispatch.attempt:
            _keep_open(job, row)


def close_dispatch(job: Job, *, failure: WorkFailed | None = None) -> bool:
    """End the open dispatch of a locked job; answers whether there was one."""
    ended: dict[str, Any] = {
        "status": Dispatch.FAILED if failure else Dispatch.SUCCEEDED,
        "lease_expires_at": None,
        "failure_code": failure.code if failure else "",
        "failure_message": failure.message if failure else "",
        "failed_stage": failure.stage if failure else "",
        "updated_at": timezone.now(),
    }
    if not failure:
        ended["progress_pct"] = 100
    return bool(job.dispatches.filter(status__in=[Dispatch.WAITING, Dispatch.RUNNING]).update(**ended))
