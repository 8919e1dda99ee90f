"""Projects and jobs: create, upload, confirm, run, cancel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from uuid6 import uuid7

from config.api import errors, files, request_id
from config.api.storage import BadUri, Stored, kept_folder, storage, uploads_folder
from jobs import states
from jobs.models import Artifact, Dispatch, Job, Project, User
from jobs.orchestrators import orchestrator
from jobs.probe import UnreadableVideo, probe_video
from jobs.services.transitions import By, by_editor, lock_job, move_job, record_event, require
from jobs.states import Actor, JobStatus
from jobs.work import WorkFailed


def create_project(*, owner: User, name: str) -> Project:
    return Project.objects.create(owner=owner, name=name)


def create_job(*, project: Project, options: dict[str, Any]) -> Job:
    with transaction.atomic():
        job = Job.objects.create(project=project, owner_id=project.owner_id, options=options)
        record_event(job, "JOB_CREATED", by=By(Actor.EDITOR, str(project.owner_id)), new_status=job.status)
    return job


def upload_job(*, job_id: UUID, user: User, filename: str, size_bytes: int, mime_type: str) -> dict[str, Any]:
    """A ticket for one PUT of the recording; the job goes to UPLOADING. Asked again: a fresh ticket."""
    if size_bytes > settings.MAX_UPLOAD_BYTES:
        raise errors.invalid(
            "size_bytes", f"The largest upload is {settings.MAX_UPLOAD_BYTES} bytes.", code="too_large"
        )
    with transaction.atomic():
        job = lock_job(job_id)
        if job.status != JobStatus.UPLOADING:
            move_job(job, "upload", by=by_editor(user), data={"filename": filename, "size_bytes": size_bytes})
    key = f"{uploads_folder(job_id)}{uuid7()}"
    url, expires_at = files.upload_url(
        key, max_bytes=settings.MAX_UPLOAD_BYTES, seconds=settings.UPLOAD_URL_SECONDS
    )
    return {
        "upload_url": url,
        "method": "PUT",
        "headers": {"Content-Type": mime_type},
        "video_uri": storage().uri(key),
        "expires_at": expires_at,
        "max_size_bytes": settings.MAX_UPLOAD_BYTES,
    }


def confirm_upload_job(*, job: Job, user: User, video_uri: str) -> tuple[Job, bool]:
    """Take the uploaded recording as the job's video; answers (job, replayed).

    Order: replay or conflict when a video is confirmed already, then the state machine, then the file.
    """
    if (replay := _confirmed_before(job, video_uri)) is not None:
        return replay
    require(job, "confirm_upload", JobStatus.UPLOADED, actor=Actor.EDITOR)
    stored, probe = _keep_video(job, video_uri)
    with transaction.atomic():
        job = lock_job(job.pk)
        if (replay := _confirmed_before(job, video_uri)) is not None:
            return replay
        job.manifest = {**job.manifest, "video_uri": video_uri}
        Artifact.objects.create(
            job=job, kind="video", version=1, uri=stored.uri, sha256=stored.sha256, size_bytes=stored.size_bytes,
            data=probe,
        )  # fmt: skip
        move_job(job, "confirm_upload", by=by_editor(user), data={"sha256": stored.sha256, **probe})
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


def _keep_video(job: Job, video_uri: str) -> tuple[Stored, dict[str, Any]]:
    """The uploaded file under a key that no ticket writes to, and what the probe says of it."""
    try:
        key = storage().key(video_uri)
    except BadUri:
        key = ""
    if not key.startswith(uploads_folder(job.pk)):
        raise errors.invalid(
            "video_uri",
            "This is not a URI that this job may use.",
            hint="Send the video_uri of the upload ticket.",
        )
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
    return stored, {"duration_ms": probe.duration_ms, "width": probe.width, "height": probe.height}


def run_job(*, job_id: UUID, user: User) -> tuple[Job, Dispatch, bool]:
    """Dispatch the pipeline once; answers (job, dispatch, replayed). Over and over: the same dispatch."""
    with transaction.atomic():
        # The owner's row is locked so that two jobs started at once are both counted.
        User.objects.select_for_update().get(pk=user.pk)
        job = lock_job(job_id)
        earlier = job.dispatches.filter(kind=Dispatch.Kind.RUN).first()
        if earlier and earlier.accepted_at and job.status not in states.TERMINAL:
            return job, earlier, True
        require(job, "run", JobStatus.AUDIO_EXTRACTING, actor=Actor.EDITOR)
        if earlier is None:
            _require_free_slot(user)
            earlier = Dispatch.objects.create(
                job=job,
                kind=Dispatch.Kind.RUN,
                status=Dispatch.WAITING,
                orchestrator=settings.ORCHESTRATOR,
                correlation_id=request_id.current(),
            )
        job.dispatch = earlier
        orchestrator().dispatch(job, earlier)
        earlier.accepted_at = timezone.now()
        earlier.save(update_fields=["accepted_at"])
        move_job(job, "run", by=by_editor(user), data={"dispatch_id": str(earlier.pk)})
    return job, earlier, False


def _require_free_slot(user: User) -> None:
    limit = settings.ACTIVE_JOBS_PER_OWNER
    active = Job.objects.filter(
        Q(status__in=states.PROCESSING) | Q(dispatches__status__in=[Dispatch.WAITING, Dispatch.RUNNING]),
        owner=user,
    )
    count = active.values("pk").distinct().count()
    if count >= limit:
        raise errors.ApiError(
            429,
            "ACTIVE_JOB_LIMIT_REACHED",
            "Too many of your jobs are being processed.",
            details={"limit": limit, "active": count},
            hint="Wait until one of them is done, or cancel one.",
            headers={"Retry-After": "30"},
        )


def cancel_job(*, job_id: UUID, user: User) -> Job:
    """End a job that is not over. What its workers do is stopped at their next heartbeat (2 s)."""
    with transaction.atomic():
        job = lock_job(job_id)
        move_job(job, "cancel", by=by_editor(user))
        close_dispatch(job, failure=WorkFailed("JOB_CANCELLED", "The job was cancelled."))
    return job


def close_dispatch(job: Job, *, failure: WorkFailed | None = None) -> None:
    """End the open dispatch of a locked job, if there is one."""
    for dispatch in job.dispatches.select_for_update().filter(
        status__in=[Dispatch.WAITING, Dispatch.RUNNING]
    ):
        dispatch.close(Dispatch.FAILED if failure else Dispatch.SUCCEEDED, failure=failure)
