"""Confirming an upload: the file is kept under a name that no ticket writes to, hashed and probed, then the row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from config.accounts.models import User
from config.api import errors
from config.locks import media_place, place
from config.sandbox import SandboxError
from config.storage import BadUri, Stored, WrongSize, kept_folder, storage
from jobs.media.probe import UnreadableVideo
from jobs.models import Artifact, Job, UploadTicket
from jobs.services.audit import by_editor
from jobs.services.tickets import close_tickets, expired, not_received
from jobs.services.transitions import lock_job, move_job, require_transition
from jobs.services.videos import external_video, probe_in_child
from jobs.states import ActorType, JobStatus

WAIT_SECONDS = 3.0  # for another call that confirms the same job


def confirm_upload_job(*, job: Job, user: User, video_uri: str) -> tuple[Job, bool]:
    """Take the uploaded recording as the job's video; return (job, replayed).

    Order: replay or conflict when a video is confirmed already, then the state machine, then the file.
    """
    if (replay := _confirmed_before(job, video_uri)) is not None:
        return replay
    require_transition(job, "confirm_upload", JobStatus.UPLOADED, actor_type=ActorType.EDITOR)
    ticket = _ticket_of(job, video_uri)
    if ticket is None:
        return _confirm(job.pk, user, video_uri, {"uri": external_video(video_uri), "data": {}})
    with media_place(user.pk), _one_at_a_time(job.pk):
        ticket = UploadTicket.objects.select_related("job").filter(pk=ticket.pk).first()
        if ticket is None:
            raise errors.not_found()
        if (replay := _confirmed_before(ticket.job, video_uri)) is not None:
            return replay
        stored = _keep_upload(ticket)
        try:
            return _confirm(job.pk, user, video_uri, _probe(ticket, stored))
        except errors.ApiError as error:
            _discard(job.pk, stored.uri, error)
            raise


def _ticket_of(job: Job, video_uri: str) -> UploadTicket | None:
    """Return the ticket of this job that a URI is of, if it is of one."""
    try:
        return job.upload_tickets.filter(key=storage().key(video_uri)).first()
    except BadUri:
        return None


def _confirm(job_id: UUID, user: User, video_uri: str, video: dict[str, Any]) -> tuple[Job, bool]:
    with transaction.atomic():
        job = lock_job(job_id)
        if (replay := _confirmed_before(job, video_uri)) is not None:
            return replay
        job.manifest = {**job.manifest, "video_uri": video_uri}
        artifact = Artifact.objects.create(job=job, kind="video", version=1, **video)
        noted = {"sha256": artifact.sha256, **(artifact.data or {})} if artifact.sha256 else {}
        move_job(job, "confirm_upload", by=by_editor(user), data=noted)
        close_tickets(job.upload_tickets.filter(closed_at=None))
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


@contextmanager
def _one_at_a_time(job_id: UUID) -> Iterator[None]:
    """Let one call at a time read the upload of a job, without a transaction; raise 503 for who waits too long."""
    with place(f"confirmation of {job_id}", seconds=WAIT_SECONDS) as is_only:
        if not is_only:
            raise errors.ApiError(
                503,
                "SERVICE_UNAVAILABLE",
                "Another call is confirming this upload.",
                hint="Ask again in a moment: then its outcome is known.",
                headers={"Retry-After": "2"},
            )
        yield


def _keep_upload(ticket: UploadTicket) -> Stored:
    """Keep what came with a ticket under a key that none writes to; what was refused before is refused again."""
    if ticket.closed_at:
        raise expired()
    try:
        if ticket.received_at is None and not storage().is_written_by_clients:
            raise FileNotFoundError(ticket.key)
        uri, folder = storage().uri(ticket.key), kept_folder(ticket.job_id)
        return storage().keep_upload(uri, folder, size=ticket.size_bytes)
    except WrongSize as error:
        message = f"The file has {error.found} bytes; the ticket was asked for {error.declared}."
        raise _refused("wrong_size", message) from error
    except FileNotFoundError as error:
        if ticket.refusal_code:
            raise _refused(ticket.refusal_code, ticket.refusal_message) from error
        if ticket.expires_at <= timezone.now():
            raise expired() from error
        raise not_received() from error


def _discard(job_id: UUID, uri: str, error: errors.ApiError) -> None:
    """Delete what was kept for a call that is refused, unless a row names it.

    Another call may have the same file: when the database session that had the turn ends, the next one begins. It is
    refused as well where the bytes or the job's status are at fault; after any other error the file is left to the
    sweep, as in a bucket, which is not asked under a lock.
    """
    if error.status >= 500 or storage().is_written_by_clients:
        return
    with transaction.atomic():
        lock_job(job_id)
        if not Artifact.objects.filter(job_id=job_id, uri=uri).exists():
            storage().delete(uri)


def _probe(ticket: UploadTicket, stored: Stored) -> dict[str, Any]:
    """Return the fields of the artifact. What is no video is refused with a 400, and its upload removed."""
    try:
        with storage().source(stored.uri) as video:
            probe = probe_in_child(video)
    except (UnreadableVideo, SandboxError) as error:
        if isinstance(error, SandboxError) and error.may_pass:
            raise errors.unavailable("The recording could not be looked at now.") from error
        _remember_refusal(ticket, stored, error.code, error.message)
        raise _refused(error.code, error.message) from error
    return {
        "uri": stored.uri,
        "sha256": stored.sha256,
        "size_bytes": stored.size_bytes,
        "data": probe.facts(),
    }


def _remember_refusal(ticket: UploadTicket, stored: Stored, code: str, message: str) -> None:
    """Refuse this file from now on, unless another has come in its place meanwhile."""
    with transaction.atomic():
        lock_job(ticket.job_id)  # no PUT names a file meanwhile
        same = UploadTicket.objects.filter(pk=ticket.pk, receipts=ticket.receipts, closed_at=None)
        if same.update(refusal_code=code, refusal_message=message[:500], received_at=None):
            delete = partial(storage().delete_upload, storage().uri(ticket.key), stored)
            # In a bucket a file may come at any time, lock or not: it is looked at there.
            transaction.on_commit(delete, robust=True) if storage().is_written_by_clients else delete()


def _refused(code: str, message: str) -> errors.ApiError:
    return errors.ApiError(
        400,
        "UPLOAD_VERIFICATION_FAILED",
        message,
        details={"mismatches": [{"field": "video_uri", "code": code, "message": message}]},
        hint="Upload a video file, such as MP4, WebM, MKV or AVI.",
    )
