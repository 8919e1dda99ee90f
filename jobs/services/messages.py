"""What an orchestrator is told: of an execution to begin, and of one that is not wanted any more."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.urls import reverse

from config.storage import BadUri, download_url, storage
from config.work.enqueue import enqueue_message_on_commit
from config.work.lanes import Lane
from jobs.models import Dispatch, Job
from jobs.orchestrators import AnswerLost, NotAccepted, orchestrator

log = logging.getLogger(__name__)

VIDEO_URL_SECONDS = 24 * 3600


def payload(job: Job, dispatch: Dispatch) -> dict[str, Any]:
    """Return what the orchestrator is sent. A video in our own storage comes with a signed `video_url` to read it."""
    callback = settings.PUBLIC_URL + reverse("callback-report", args=[job.pk])
    content: dict[str, Any] = {
        "dispatch_id": str(dispatch.pk),
        "correlation_id": dispatch.correlation_id,
        "job_id": str(job.pk),
        "project_id": str(job.project_id),
        "video_uri": job.manifest["video_uri"],
        "callback_url": f"{callback}?dispatch_id={dispatch.pk}",
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
    url, _ = download_url(
        uri, filename="video", mime_type="application/octet-stream", seconds=VIDEO_URL_SECONDS
    )
    return url


def enqueue_cancellation(dispatch: Dispatch) -> None:
    """Have a worker tell the orchestrator that this execution is not wanted any more; best effort.

    The message says all there is to tell: the job may be deleted before a worker reads it.
    """
    if not orchestrator(dispatch.orchestrator).performs_here:
        told = str(dispatch.pk), str(dispatch.job_id), dispatch.correlation_id
        enqueue_message_on_commit(Lane.CONTROL, "tell_cancelled", *told)


def tell_cancelled(dispatch_id: str, job_id: str, correlation_id: str) -> None:
    """Tell the orchestrator; runs in a worker."""
    content = {"dispatch_id": dispatch_id, "job_id": job_id, "correlation_id": correlation_id}
    try:
        orchestrator("http").send_cancel(dispatch_id, content)
    except (NotAccepted, AnswerLost) as error:
        log.warning("the orchestrator was not told that %s is cancelled: %s", dispatch_id, error)
