"""Run and retry: who may, from where, and which dispatch it is. What happens to it then: `dispatches`."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings

from config.api import errors, request_id
from config.api.storage import BadUri, storage
from jobs import states
from jobs.models import Dispatch, Job, User
from jobs.services.dispatches import begin_sending, hand_over, is_being_sent, require_free_slot
from jobs.services.transitions import lock_job, require
from jobs.states import Actor, JobStatus


def run_job(*, job_id: UUID, user: User) -> tuple[Job, Dispatch, bool]:
    """Dispatch the pipeline once; answers (job, dispatch, replayed). Over and over: the same dispatch."""
    return hand_over(lambda: _ask_run(job_id, user))


def retry_job(
    *, job_id: UUID, user: User, client_request_id: str, model_profile: str
) -> tuple[Job, Dispatch, bool]:
    """Let a FAILED job go on from its latest checkpoint; answers (job, dispatch, replayed)."""
    checkpoint = _latest_checkpoint(Job.objects.get(pk=job_id))  # asks the storage: before any lock
    return hand_over(lambda: _ask_retry(job_id, user, client_request_id, model_profile, checkpoint))


def _ask_run(job_id: UUID, user: User) -> tuple[Dispatch, bool]:
    job = _lock(job_id, user)
    earlier = job.dispatches.select_for_update().filter(kind=Dispatch.Kind.RUN).first()
    if earlier and earlier.accepted_at and job.status not in states.TERMINAL:
        return earlier, False
    require(job, "run", JobStatus.AUDIO_EXTRACTING, actor=Actor.EDITOR)
    return _take(job, user, earlier or Dispatch(job=job, kind=Dispatch.Kind.RUN))


def _ask_retry(
    job_id: UUID, user: User, client_request_id: str, model_profile: str, checkpoint: tuple[str, str]
) -> tuple[Dispatch, bool]:
    job = _lock(job_id, user)
    retries = job.dispatches.select_for_update().filter(kind=Dispatch.Kind.RETRY)
    earlier = retries.filter(client_request_id=client_request_id).first()
    if earlier and earlier.model_profile != model_profile:
        raise errors.conflict(
            "IDEMPOTENCY_KEY_REUSED",
            "This client_request_id was used with another model_profile.",
            hint="Send a new client_request_id for a new retry.",
        )
    if earlier and earlier.accepted_at:
        return earlier, False
    _require_retry(job, earlier)
    resume_from_status, checkpoint_ref = checkpoint
    return _take(
        job,
        user,
        earlier
        or Dispatch(
            job=job,
            kind=Dispatch.Kind.RETRY,
            client_request_id=client_request_id,
            model_profile=model_profile,
            resume_from_status=resume_from_status,
            checkpoint_ref=checkpoint_ref,
        ),
    )


def _lock(job_id: UUID, user: User) -> Job:
    # The owner's row too, so that two jobs started at once are both counted.
    User.objects.select_for_update().get(pk=user.pk)
    return lock_job(job_id)


def _take(job: Job, user: User, dispatch: Dispatch) -> tuple[Dispatch, bool]:
    """Make the dispatch this caller's to send, unless somebody sends it at this moment."""
    if is_being_sent(dispatch):
        return dispatch, False
    if not dispatch.is_open:  # new, or refused before: then it was not counted
        require_free_slot(user, job)
        dispatch.retries = 0
        dispatch.orchestrator = settings.ORCHESTRATOR
        dispatch.requested_by = str(user.pk)
        dispatch.correlation_id = request_id.current()
    begin_sending(job, dispatch)
    return dispatch, True


def _require_retry(job: Job, mine: Dispatch | None) -> None:
    """Raise the 409s of a retry: only from FAILED, and one at a time."""
    open_dispatch = job.dispatches.filter(status__in=[Dispatch.WAITING, Dispatch.RUNNING]).first()
    busy = (*states.PROCESSING, JobStatus.REGENERATING, JobStatus.EXPORTING)
    if job.status in busy or (open_dispatch and open_dispatch != mine):
        raise errors.conflict(
            "JOB_ALREADY_RUNNING",
            "The job is being processed already.",
            hint="Wait for it, or cancel it.",
            current_status=job.status,
        )
    if job.status != JobStatus.FAILED:
        raise errors.conflict(
            "RETRY_NOT_ALLOWED_STATE", "Only a job that has failed can be retried.", current_status=job.status
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
    """Whether a file of our own storage is there. What lies elsewhere is the orchestrator's to know."""
    try:
        storage().size(uri)
    except BadUri:
        return True
    except FileNotFoundError:
        return False
    return True
