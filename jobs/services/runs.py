"""Run and retry: who may, from where, and which dispatch it is. What happens to it then: `dispatches`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings

from config.accounts.models import User
from config.api import errors, request_id
from config.storage import BadUri, storage
from jobs import hooks, states
from jobs.models import Dispatch, Job
from jobs.orchestrators import orchestrator
from jobs.services.audit import Attribution
from jobs.services.dispatches import SENDING_LEASE, SendRole, deliver, is_being_sent
from jobs.services.transitions import lock_job, require_transition
from jobs.states import ActorType, JobStatus


def run_job(*, job_id: UUID, by: Attribution) -> tuple[Job, Dispatch, bool]:
    """Dispatch the pipeline once; return (job, dispatch, replayed). Every later call returns the same dispatch."""
    return deliver(by.actor_id, lambda: open_or_join_run(job_id, by))


def retry_job(
    *, job_id: UUID, by: Attribution, client_request_id: str, model_profile: str
) -> tuple[Job, Dispatch, bool]:
    """Let a FAILED job go on from its latest checkpoint; return (job, dispatch, replayed)."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise errors.not_found()
    checkpoint = _latest_checkpoint(job)  # asks the storage: before any lock
    return deliver(
        by.actor_id, lambda: open_or_join_retry(job, by, client_request_id, model_profile, checkpoint)
    )


def retry_as_before(*, job_id: UUID, by: Attribution, client_request_id: str) -> tuple[Job, Dispatch, bool]:
    """Do what `retry_job` does, with the model profile that the job has: that of its last retry, or of its options, or
    the first that is installed."""
    job = Job.objects.select_related("dispatch").filter(pk=job_id).first()
    if job is None:
        raise errors.not_found()
    had = (job.dispatch.model_profile if job.dispatch else "") or job.options.get("model_profile")
    profile = had if had in settings.MODEL_PROFILES else settings.MODEL_PROFILES[0]
    return retry_job(job_id=job_id, by=by, client_request_id=client_request_id, model_profile=profile)


def may_be_retried(status: str, manifest: dict[str, Any]) -> bool:
    """Return whether a job failed after its upload."""
    return status == JobStatus.FAILED and "video_uri" in manifest


def dispatch_again(*, job_id: UUID, by: Attribution) -> tuple[Job, Dispatch, bool]:
    """Send the open dispatch of a job again, which the orchestrator has not answered, under the same id; return what
    `run_job` returns. Raise the 409 of a job that has none."""
    job = Job.objects.select_related("dispatch").filter(pk=job_id).first()
    dispatch = job.dispatch if job else None
    if dispatch is None or not dispatch.is_open or dispatch.accepted_at:
        raise errors.conflict(
            "JOB_ALREADY_RUNNING", "The job has no dispatch that waits for an answer of the orchestrator."
        )
    if dispatch.kind == Dispatch.Kind.RUN:
        return run_job(job_id=job_id, by=by)
    asked = {"client_request_id": dispatch.client_request_id, "model_profile": dispatch.model_profile}
    return retry_job(job_id=job_id, by=by, **asked)


def open_or_join_run(job_id: UUID, by: Attribution) -> tuple[Dispatch, SendRole]:
    job = _lock(job_id)
    earlier = job.dispatches.select_for_update().filter(kind=Dispatch.Kind.RUN).first()
    if earlier and earlier.accepted_at and job.status not in states.TERMINAL:
        return earlier, SendRole.JOIN
    require_transition(job, "run", JobStatus.AUDIO_EXTRACTING, actor_type=ActorType.EDITOR)
    _require_no_other(job, earlier)
    return claim_sending(job, by, earlier or Dispatch(job=job, owner_id=job.owner_id, kind=Dispatch.Kind.RUN))


def open_or_join_retry(
    seen: Job, by: Attribution, client_request_id: str, model_profile: str, checkpoint: tuple[str, str]
) -> tuple[Dispatch, SendRole]:
    job = _lock(seen.pk)
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
    return claim_sending(job, by, dispatch)


def _lock(job_id: UUID) -> Job:
    """Lock the job; and first its owner's row, so that two jobs started at once are both counted. Raise 404."""
    owners = User.objects.filter(pk__in=Job.objects.filter(pk=job_id).values("owner_id"))
    if owners.select_for_update(no_key=True).first() is None:
        raise errors.not_found()
    return lock_job(job_id)


def claim_sending(job: Job, by: Attribution, dispatch: Dispatch) -> tuple[Dispatch, SendRole]:
    """Hold the dispatch for this caller to send, unless another sends it at this moment.

    The caller holds the locks of the owner, the job and the dispatch. Raises 429.
    """
    for started in hooks.JOB_STARTED:
        started(job)
    if is_being_sent(dispatch):
        return dispatch, SendRole.JOIN
    role = SendRole.RESEND if dispatch.is_open else SendRole.SEND
    if role is SendRole.SEND:  # new, or refused before: then it was not counted
        _require_free_slot(job)
        dispatch.make_waiting()
        dispatch.orchestrator = settings.ORCHESTRATOR
        dispatch.requested_by, dispatch.requested_as, dispatch.reason = by.actor_id, by.actor_type, by.reason
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
    if not may_be_retried(job.status, job.manifest):
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


def _require_free_slot(job: Job) -> None:
    """Raise 429 when the owner's other jobs take all the places. The caller holds the owner's lock."""
    limit = settings.ACTIVE_JOBS_PER_OWNER
    processed = Job.objects.filter(owner=job.owner_id, status__in=states.PROCESSING).values_list("pk")
    dispatched = Dispatch.objects.filter(owner=job.owner_id, status__in=Dispatch.OPEN).values_list("job_id")
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
