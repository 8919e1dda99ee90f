"""Run and retry: who may, from where, and which dispatch it is. What happens to it then: `dispatches`."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db.models import Q

from config.api import errors, request_id
from config.api.storage import BadUri, storage
from jobs import states
from jobs.models import Dispatch, Job, User
from jobs.orchestrators import orchestrator
from jobs.services.dispatches import Part, begin_sending, hand_over, is_being_sent
from jobs.services.transitions import lock_job, require
from jobs.states import Actor, JobStatus


def run_job(*, job_id: UUID, user: User) -> tuple[Job, Dispatch, bool]:
    """Dispatch the pipeline once; answers (job, dispatch, replayed). Over and over: the same dispatch."""
    return hand_over(lambda: _ask_run(job_id, user))


def retry_job(
    *, job_id: UUID, user: User, client_request_id: str, model_profile: str
) -> tuple[Job, Dispatch, bool]:
    """Let a FAILED job go on from its latest checkpoint; answers (job, dispatch, replayed)."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise errors.not_found()
    checkpoint = _latest_checkpoint(job)  # asks the storage: before any lock
    return hand_over(lambda: _ask_retry(job, user, client_request_id, model_profile, checkpoint))


def _ask_run(job_id: UUID, user: User) -> tuple[Dispatch, Part]:
    job = _lock(job_id, user)
    earlier = job.dispatches.select_for_update().filter(kind=Dispatch.Kind.RUN).first()
    if earlier and earlier.accepted_at and job.status not in states.TERMINAL:
        return earlier, Part.WAIT
    require(job, "run", JobStatus.AUDIO_EXTRACTING, actor=Actor.EDITOR)
    _require_no_other(job, earlier)
    return _take(job, user, earlier or Dispatch(job=job, kind=Dispatch.Kind.RUN))


def _ask_retry(
    seen: Job, user: User, client_request_id: str, model_profile: str, checkpoint: tuple[str, str]
) -> tuple[Dispatch, Part]:
    job = _lock(seen.pk, user)
    if job.manifest != seen.manifest:  # it has gone on and failed since
        checkpoint = _latest_checkpoint(job)
    retries = job.dispatches.select_for_update().filter(kind=Dispatch.Kind.RETRY)
    earlier = retries.filter(client_request_id=client_request_id).first()
    if earlier and earlier.model_profile != model_profile:
        raise errors.conflict(
            "IDEMPOTENCY_KEY_REUSED",
            "This client_request_id was used with another model_profile.",
            hint="Send a new client_request_id for a new retry.",
        )
    if earlier and earlier.accepted_at:
        return earlier, Part.WAIT
    _require_retry(job, earlier)
    dispatch = earlier or Dispatch(
        job=job, kind=Dispatch.Kind.RETRY, client_request_id=client_request_id, model_profile=model_profile
    )
    if not dispatch.is_open:  # one that was refused before may have been overtaken by another's work
        dispatch.resume_from_status, dispatch.checkpoint_ref = checkpoint
    return _take(job, user, dispatch)


def _lock(job_id: UUID, user: User) -> Job:
    # The owner's row too, so that two jobs started at once are both counted.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return lock_job(job_id)


def _take(job: Job, user: User, dispatch: Dispatch) -> tuple[Dispatch, Part]:
    """Make the dispatch this caller's to send, unless somebody sends it at this moment."""
    if is_being_sent(dispatch):
        return dispatch, Part.WAIT
    if not dispatch.is_open:  # new, or refused before: then it was not counted
        _require_free_slot(user, job)
        dispatch.retries = 0
        dispatch.orchestrator = settings.ORCHESTRATOR
        dispatch.requested_by = str(user.pk)
        dispatch.correlation_id = request_id.current()
    return dispatch, begin_sending(job, dispatch)


def _require_retry(job: Job, mine: Dispatch | None) -> None:
    """Raise the 409s of a retry: only from FAILED, and one at a time."""
    if job.status in (*states.PROCESSING, JobStatus.REGENERATING, JobStatus.EXPORTING):
        raise _already_running(job)
    _require_no_other(job, mine)
    if job.status != JobStatus.FAILED or "video_uri" not in job.manifest:
        raise errors.conflict(
            "RETRY_NOT_ALLOWED_STATE",
            "Only a job that failed after its upload can be retried.",
            current_status=job.status,
        )


def _require_no_other(job: Job, mine: Dispatch | None) -> None:
    """Raise 409 when another execution of the job is on its way."""
    others = job.dispatches.filter(status__in=[Dispatch.WAITING, Dispatch.RUNNING])
    if mine:
        others = others.exclude(pk=mine.pk)
    if others.exists():
        raise _already_running(job)


def _already_running(job: Job) -> errors.ApiError:
    return errors.conflict(
        "JOB_ALREADY_RUNNING",
        "The job is being processed already.",
        hint="Wait for it, or cancel it.",
        current_status=job.status,
    )


def _latest_checkpoint(job: Job) -> tuple[str, str]:
    """The best status that a retry can go back to, and the URI of what was made there."""
    kinds = {
        JobStatus.DRAFT_READY: "draft_uri",
        JobStatus.TRANSCRIPT_READY: "transcript_uri",
        JobStatus.AUDIO_READY: "audio_uri",
    }
    for status in states.CHECKPOINTS:
        uri = job.manifest.get(kinds[status])
        if uri and _exists(uri):
            return status, uri
    return JobStatus.UPLOADED, job.manifest.get("video_uri", "")


def _exists(uri: str) -> bool:
    """Whether a file of our own storage is there. What lies elsewhere an HTTP orchestrator may know."""
    try:
        storage().size(uri)
    except BadUri:
        return not orchestrator(settings.ORCHESTRATOR).performs_here
    except FileNotFoundError:
        return False
    return True


def _require_free_slot(user: User, job: Job) -> None:
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
