"""Projects and jobs: create, upload, confirm, cancel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from uuid6 import uuid7

from config.accounts.models import User
from config.api import errors
from config.api.pagination import moment_of
from config.storage import BadUri, kept_folder, signed_urls, storage, uploads_folder
from config.work.models import WorkFailed
from jobs.media.probe import UnreadableVideo, probe_video
from jobs.models import Artifact, Job, Project
from jobs.services.audit import Attribution, by_editor, record_event
from jobs.services.dispatches import close_dispatch
from jobs.services.messages import enqueue_cancellation
from jobs.services.transitions import lock_job, move_job, require_transition
from jobs.services.videos import external_video
from jobs.states import ActorType, JobStatus


def create_project(*, owner: User, name: str, **key: str) -> Project:
    return Project.objects.create(owner=owner, name=name, **key)


def create_job(*, project: Project, options: dict[str, Any], **key: str) -> Job:
    job_id = uuid7()
    now = moment_of(job_id)  # so that lists, which go by the id, can be narrowed by time
    with transaction.atomic():
        job = Job(id=job_id, project=project, owner_id=project.owner_id, options=options, **key)
        job.created_at = job.updated_at = now
        job.save(force_insert=True)
        by = Attribution(ActorType.EDITOR, str(project.owner_id))
        record_event(job, "JOB_CREATED", by=by, new_status=job.status)
    return job


def upload_job(*, job_id: UUID, user: User, filename: str, size_bytes: int, mime_type: str) -> dict[str, Any]:
    """Return a ticket for one PUT of the recording, and move the job to UPLOADING; asked again, a fresh ticket."""
    if size_bytes > settings.MAX_UPLOAD_BYTES:
        raise errors.invalid(
            "size_bytes", f"The largest upload is {settings.MAX_UPLOAD_BYTES} bytes.", code="too_large"
        )
    with transaction.atomic():
        job = lock_job(job_id)
        if job.status != JobStatus.UPLOADING:
            move_job(job, "upload", by=by_editor(user), data={"filename": filename, "size_bytes": size_bytes})
    key = signed_urls.new_ticket_key(uploads_folder(job_id))
    url, expires_at = signed_urls.upload_url(key, max_bytes=size_bytes, seconds=settings.UPLOAD_URL_SECONDS)
    return {
        "upload_url": url,
        "method": "PUT",
        "headers": {"Content-Type": mime_type},
        "video_uri": storage().uri(key),
        "expires_at": expires_at,
        "max_size_bytes": size_bytes,
    }


def confirm_upload_job(*, job: Job, user: User, video_uri: str) -> tuple[Job, bool]:
    """Take the uploaded recording as the job's video; return (job, replayed).

    Order: replay or conflict when a video is confirmed already, then the state machine, then the file.
    """
    if (replay := _confirmed_before(job, video_uri)) is not None:
        return replay
    require_transition(job, "confirm_upload", JobStatus.UPLOADED, actor_type=ActorType.EDITOR)
    is_upload = _is_upload_of(job, video_uri)
    video = _keep_upload(job, video_uri) if is_upload else {"uri": external_video(video_uri), "data": {}}
    with transaction.atomic():
        job = lock_job(job.pk)
        if (replay := _confirmed_before(job, video_uri)) is not None:
            return replay
        job.manifest = {**job.manifest, "video_uri": video_uri}
        artifact = Artifact.objects.create(job=job, kind="video", version=1, **video)
        noted = {"sha256": artifact.sha256, **(artifact.data or {})} if is_upload else {}
        move_job(job, "confirm_upload", by=by_editor(user), data=noted)
        if is_upload:
            transaction.on_commit(lambda: storage().delete(video_uri))
    return job, False


def _confirmed_before(job: Job, video_uri: str) -> tuple[Job, bool] | None:
    current = job.manifest.get("video_uri")
    if current is None:
        return None
    if current == video_uri:
        return job, True
    raise errors.conflict(
        "VIDEO_URI_CONFLICT",
        "Another video is confirmed for this job.",
        hint="Create a new job for another video.",
        current_video_uri=current,
        submitted_video_uri=video_uri,
    )


def _is_upload_of(job: Job, video_uri: str) -> bool:
    try:
        return signed_urls.is_ticket_key(storage().key(video_uri), uploads_folder(job.pk))
    except BadUri:
        return False


def _keep_upload(job: Job, video_uri: str) -> dict[str, Any]:
    """Keep the uploaded file under a key that no ticket writes to; return its artifact's fields, probed."""
    try:
        stored = storage().keep_upload(video_uri, kept_folder(job.pk))
    except FileNotFoundError as error:
        raise errors.conflict(
            "UPLOAD_NOT_RECEIVED",
            "Nothing was uploaded with this ticket yet.",
            hint="PUT the file to upload_url first.",
        ) from error
    try:
        with storage().local_path(stored.uri) as path:
            probe = probe_video(path)
    except UnreadableVideo as error:
        storage().delete(stored.uri)
        raise errors.ApiError(
            400,
            "UPLOAD_VERIFICATION_FAILED",
            str(error),
            details={"mismatches": [{"field": "video_uri", "code": error.code, "message": str(error)}]},
            hint="Upload a video file, such as MP4, WebM, MKV or AVI.",
        ) from error
    return {
        "uri": stored.uri,
        "sha256": stored.sha256,
        "size_bytes": stored.size_bytes,
        "data": {"duration_ms": probe.duration_ms, "width": probe.width, "height": probe.height},
    }


def cancel_job(*, job_id: UUID, user: User) -> Job:
    """End a job that is not over. What its workers do is stopped at their next heartbeat (2 s)."""
    with transaction.atomic():
        job = lock_job(job_id)
        move_job(job, "cancel", by=by_editor(user))
        was_open = close_dispatch(job, failure=WorkFailed("JOB_CANCELLED", "The job was cancelled."))
        if was_open and job.dispatch:
            enqueue_cancellation(job.dispatch)
    return job
