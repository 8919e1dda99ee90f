"""Run and retry: who may, from where, and which dispatch it is. What happens to it then: `dispatches`."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings

from config.accounts.models import User
from config.api import errors, request_id
from config.storage import BadUri, storage
from jobs import hooks, states
from jobs.models import Dispatch, Job
from jobs.orchestrators import orchestrator
from jobs.services.dispatches import SENDING_LEASE, SendRole, deliver, is_being_sent
from jobs.services.transitions import lock_job, require_transition
from jobs.states import ActorType, JobStatus


def run_job(*, job_id: UUID, user: User) -> tuple[Job, Dispatch, bool]:
    """Dispatch the pipeline once; return (job, dispatch, replayed). Every later call returns the same dispatch."""
    return deliver(user.pk, lambda: open_or_join_run(job_id, user))


def retry_job(
    *, job_id: UUID, user: User, client_request_id: str, model_profile: str
) -> tuple[Job, Dispatch, bool]:
    """Let a FAILED job go on from its latest checkpoint; return (job, dispatch, replayed)."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise errors.not_found()
    checkpoint = _latest_checkpoint(job)  # asks the storage: before any lock
    return deliver(
        user.pk, lambda: open_or_join_retry(job, user, client_request_id, model_profile, checkpoint)
    )


def open_or_join_run(job_id: UUID, user: User) -> tuple[Dispatch, SendRole]:
    job = _lock(job_id, user)
    earlier = job.dispatches.select_for_update().filter(kind=Dispatch.Kind.RUN).first()
    if earlier and earlier.accepted_at and job.status not in states.TERMINAL:
        return earlier, SendRole.JOIN
    require_transition(job, "run", JobStatus.AUDIO_EXTRACTING, actor_type=ActorType.EDITOR)
    _require_no_other(job, earlier)
    return claim_sending(
        job, user, earlier or Dispatch(job=job, owner_id=job.owner_id, kind=Dispatch.Kind.RUN)
    )


def open_or_join_retry(
    seen: Job, user: User, client_request_id: str, model_profile: str, checkpoint: tuple[str, str]
) -> tuple[Dispatch, SendRole]:
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
        return earlier, SendRole.JOIN
    _require_retry(job, earlier)
    dispatch = earlier or Dispatch(
        job=job,
        owner_id=job.owner_id,
        kind=Dispatch.Kind.RETRY,
        client_request_id=client_request_id,
        model_profile=model_profile,
    )
    if not dispatch.is_open:  # one that was refused before may have been overtaken by another's work
        dispatch.resume_from_status, dispatch.checkpoint_ref = checkpoint
    return claim_sending(job, user, dispatch)


def _lock(job_id: UUID, user: User) -> Job:
    # The owner's row too, so that two jobs started at once are both counted.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return lock_job(job_id)


def claim_sending(job: Job, user: User, dispatch: Dispatch) -> tuple[Dispatch, SendRole]:
    """Hold the dispatch for this caller to send, unless another sends it at this moment.

    The caller holds the locks of the owner, the job and the dispatch. Raises 429.
    """
    for started in hooks.JOB_STARTED:
        started(job)
    if is_being_sent(dispatch):
        return dispatch, SendRole.JOIN
    role = SendRole.RESEND if dispatch.is_open else SendRole.SEND
    if role is SendRole.SEND:  # new, or refused before: then it was not counted
        _require_free_slot(user, job)
        dispatch.make_waiting()
        dispatch.orchestrator = settings.ORCHESTRATOR
        dispatch.requested_by = str(user.pk)
        dispatch.correlation_id = request_id.current()
        dispatch.save()
    dispatch.begin(SENDING_LEASE)
    if job.dispatch_id != dispatch.pk:
        Job.objects.filter(pk=job.pk).update(dispatch=dispatch)
    return dispatch, role


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
    others = job.dispatches.filter(status__in=Dispatch.OPEN)
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
    """Return the best status that a retry can go back to, and the URI of what was made there."""
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
    """Return whether a file of our own storage is there. What lies elsewhere an HTTP orchestrator may know."""
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
    processed = Job.objects.filter(owner=user, status__in=states.PROCESSING).values_list("pk")
    dispatched = Dispatch.objects.filter(owner=user, status__in=Dispatch.OPEN).values_list("job_id")
    active = len({pk for (pk,) in processed.union(dispatched)} - {job.pk})
    if active >= limit:
        raise errors.ApiError(
            429,
            "ACTIVE_JOB_LIMIT_REACHED",
            "Too many of your jobs are being processed.",
            details={"limit": limit, "active": active},
            hint="Wait until one of them is done, or cancel one.",
            headers={"Retry-After": "30"},
        )
