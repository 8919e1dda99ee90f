"""The dispatch protocol: the row first, the orchestrator outside any transaction, then the outcome.

    opened --send--> accepted: the job moves on; our own workers, or an HTTP orchestrator, perform it
       |             refused: closed, the job as it was; asked for again it is opened again, with the same id
       |             no answer: it stays open and is sent again, under the same id only
       '-- killed in between: its lease runs out, and the next call or the sweep sends it again

A callback of a dispatch that still waits for its answer proves that it was accepted (`accept`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from config.api import errors, files, request_id
from config.api.storage import BadUri, storage
from jobs import states, work
from jobs.models import Dispatch, Job, User
from jobs.orchestrators import AnswerLost, NotAccepted, orchestrator
from jobs.services.transitions import SYSTEM, By, lock_job, move_job, transition_refused
from jobs.states import Actor, JobStatus
from jobs.work import Lease, WorkFailed

log = logging.getLogger(__name__)

SENDING = timedelta(seconds=12)  # the lease of whoever sends: longer than a whole call to an orchestrator
POLL_SECONDS = 0.05
VIDEO_URL_SECONDS = 24 * 3600
NOT_TAKEN = WorkFailed("ORCHESTRATOR_DISPATCH_FAILED", "The orchestrator did not take the job. Try again.")

TIMED_OUT = WorkFailed(
    "JOB_TIMED_OUT", "The orchestrator has not reported for too long. Retry the job, or ask support."
)


def hand_over(ask: Callable[[], tuple[Dispatch, bool]]) -> tuple[Job, Dispatch, bool]:
    """Bring one dispatch to its outcome; answers (job, dispatch, replayed).

    `ask` opens or finds the dispatch in a transaction, and says whether this caller is to send it. Of many
    callers at once one sends; the others wait for its outcome and share it. Raises 502 when the orchestrator
    did not take it, and 409 when the job was cancelled meanwhile.
    """
    while True:
        with transaction.atomic():
            dispatch, is_sender = ask()
        if is_sender:
            break
        if dispatch.accepted_at:
            return Job.objects.get(pk=dispatch.job_id), dispatch, True
        _wait_for_outcome(dispatch)
    job, dispatch = send(dispatch)
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


def begin_sending(job: Job, dispatch: Dispatch) -> None:
    """Take a dispatch for this caller to send. The caller holds the locks of the job and of the dispatch."""
    now = timezone.now()
    dispatch.status, dispatch.attempt = Dispatch.RUNNING, dispatch.attempt + 1
    dispatch.heartbeat_at, dispatch.lease_expires_at = now, now + SENDING
    dispatch.updated_at = now
    dispatch.failure_code = dispatch.failure_message = ""
    dispatch.save()
    if job.dispatch_id != dispatch.pk:
        Job.objects.filter(pk=job.pk).update(dispatch=dispatch)


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


def send(dispatch: Dispatch) -> tuple[Job, Dispatch]:
    """Send a dispatch that this caller has taken, and write down what became of it; answers both rows anew."""
    job = Job.objects.select_related("project").get(pk=dispatch.job_id)
    try:
        orchestrator(dispatch.orchestrator).send(str(dispatch.pk), payload(job, dispatch))
        outcome = accept
    except NotAccepted as error:
        log.warning("dispatch %s was not accepted: %s", dispatch.pk, error)
        outcome = _refuse
    except AnswerLost as error:
        log.warning("dispatch %s got no answer: %s", dispatch.pk, error)
        outcome = _keep_open
    with transaction.atomic():
        job = lock_job(dispatch.job_id)
        dispatch = Dispatch.objects.select_for_update(of=("self",)).get(pk=dispatch.pk)
        if dispatch.is_open and not dispatch.accepted_at:  # else a callback or a cancel was first
            outcome(job, dispatch)
    return job, dispatch


def payload(job: Job, dispatch: Dispatch) -> dict[str, Any]:
    """What the orchestrator is sent. A video in our own storage comes with a signed `video_url` to read it."""
    callback = f"{settings.PUBLIC_URL}/api/v1/internal/jobs/{job.pk}/status?dispatch_id={dispatch.pk}"
    content: dict[str, Any] = {
        "dispatch_id": str(dispatch.pk),
        "correlation_id": dispatch.correlation_id,
        "job_id": str(job.pk),
        "project_id": str(job.project_id),
        "video_uri": job.manifest["video_uri"],
        "callback_url": callback,
        "options": job.options,
    }
    if not orchestrator(dispatch.orchestrator).performs_here and (url := _video_url(job)):
        content["video_url"] = url
    if dispatch.kind == Dispatch.Kind.RETRY:
        content |= {
            "resume_from_status": dispatch.resume_from_status,
            "checkpoint_ref": dispatch.checkpoint_ref,
            "model_profile": dispatch.model_profile,
        }
    return content


def _video_url(job: Job) -> str | None:
    uri = job.artifacts.filter(kind="video").order_by("-version").values_list("uri", flat=True).first() or ""
    try:
        storage().key(uri)
    except BadUri:
        return None
    url, _ = files.download_url(
        uri, filename="video", mime_type="application/octet-stream", seconds=VIDEO_URL_SECONDS
    )
    return url


def accept(job: Job, dispatch: Dispatch) -> None:
    """The orchestrator took it: move the job on. The caller holds both locks."""
    performs_here = orchestrator(dispatch.orchestrator).performs_here
    dispatch.accepted_at = dispatch.available_at = dispatch.updated_at = timezone.now()
    dispatch.lease_expires_at, dispatch.retries = None, 0
    if dispatch.resume_from_status == JobStatus.DRAFT_READY:
        dispatch.status = Dispatch.SUCCEEDED  # nothing is left to perform
    elif performs_here:
        dispatch.status, dispatch.attempt = Dispatch.WAITING, 0  # from here on performing is counted
        dispatch.ring()
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
    if dispatch.take_back():
        Dispatch.objects.filter(pk=dispatch.pk).update(failure_code=NOT_TAKEN.code)
    else:
        _refuse(job, dispatch)


def perform_dispatch(dispatch: Dispatch, lease: Lease) -> None:
    """What a worker does with a claimed dispatch: send it when its sender was lost, else perform it."""
    if dispatch.accepted_at is None:
        job, dispatch = send(dispatch)
        if job.status == JobStatus.CANCELLED:
            ring_cancelled(dispatch)
        return
    from jobs.orchestrators.local import perform_stages

    perform_stages(dispatch, lease)


def fail_dispatch(dispatch: Dispatch, failure: WorkFailed, *, lease: Lease | None) -> None:
    """End a dispatch that no worker brought to its end; the job fails only if it had been accepted."""
    if dispatch.accepted_at is not None:
        from jobs.orchestrators.local import report_failure

        report_failure(dispatch, failure, lease=lease)
        return
    with transaction.atomic():
        lock_job(dispatch.job_id)
        row = Dispatch.objects.select_for_update(of=("self",)).get(pk=dispatch.pk)
        if row.is_open and not row.accepted_at:
            row.close(Dispatch.FAILED, failure=NOT_TAKEN)


def close_dispatch(job: Job, *, failure: WorkFailed | None = None) -> bool:
    """End the open dispatch of a locked job; answers whether there was one."""
    ended = {
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


def ring_cancelled(dispatch: Dispatch) -> None:
    """Have a worker tell the orchestrator that this execution is not wanted any more; best effort."""
    if not orchestrator(dispatch.orchestrator).performs_here:
        work.ring_once("tell_cancelled", str(dispatch.pk))


def tell_cancelled(dispatch_id: str) -> None:
    """Tell the orchestrator; runs in a worker."""
    dispatch = Dispatch.objects.get(pk=dispatch_id)
    content = {
        "dispatch_id": str(dispatch.pk),
        "job_id": str(dispatch.job_id),
        "correlation_id": dispatch.correlation_id,
    }
    try:
        orchestrator(dispatch.orchestrator).send_cancel(str(dispatch.pk), content)
    except (NotAccepted, AnswerLost) as error:
        log.warning("the orchestrator was not told that %s is cancelled: %s", dispatch.pk, error)


def time_out_silent_jobs() -> None:
    """Part of the sweep: fail the jobs whose HTTP orchestrator has not reported for too long."""
    limit = timezone.now() - timedelta(minutes=settings.JOB_TIMEOUT_MINUTES)
    silent = Q(status__in=states.PROCESSING) | Q(status=JobStatus.UPLOADED)
    remote = Q(dispatch__status=Dispatch.RUNNING, dispatch__accepted_at__lt=limit) & ~Q(
        dispatch__orchestrator="local"
    )
    for job_id in Job.objects.filter(silent, remote, updated_at__lt=limit).values_list("pk", flat=True)[:100]:
        with transaction.atomic():
            job = lock_job(job_id)
            if job.updated_at >= limit or not states.is_allowed("report", job.status, JobStatus.FAILED):
                continue
            job.failure = {
                "failure_code": TIMED_OUT.code,
                "failure_message": TIMED_OUT.message,
                "failed_stage": job.status,
                "correlation_id": request_id.current(),
            }
            move_job(job, "report", by=SYSTEM, target=JobStatus.FAILED)
            if close_dispatch(job, failure=TIMED_OUT):
                ring_cancelled(Dispatch.objects.get(pk=job.dispatch_id))


def require_free_slot(user: User, job: Job) -> None:
    """Raise 429 when the owner's other jobs take all the places. The caller holds the owner's lock."""
    limit = settings.ACTIVE_JOBS_PER_OWNER
    is_active = Q(status__in=states.PROCESSING) | Q(
        dispatches__status__in=[Dispatch.WAITING, Dispatch.RUNNING]
    )
    active = Job.objects.filter(is_active, owner=user).exclude(pk=job.pk).values("pk").distinct().count()
    if active >= limit:
        raise errors.ApiError(
            429,
            "ACTIVE_JOB_LIMIT_REACHED",
            "Too many of your jobs are being processed.",
            details={"limit": limit, "active": active},
            hint="Wait until one of them is done, or cancel one.",
            headers={"Retry-After": "30"},
        )
