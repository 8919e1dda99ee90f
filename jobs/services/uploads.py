"""Tickets for uploads: asked for, held to what was declared, closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from uuid6 import uuid7

from config.accounts.models import User
from config.api import errors
from config.storage import storage, uploads_folder
from jobs.models import Job, UploadTicket
from jobs.services.audit import by_editor
from jobs.services.quota import require_bytes
from jobs.services.transitions import lock_job, move_job
from jobs.states import JobStatus

MAX_OPEN_TICKETS = 5  # of one job
# After it has expired: so long a PUT that began in time may take, and its file wait to be confirmed.
CLOSED_AFTER = timedelta(days=1)
MAX_TICKETS = 500  # in one sweep


def upload_job(*, job_id: UUID, user: User, filename: str, size_bytes: int, mime_type: str) -> dict[str, Any]:
    """Return a ticket for the upload of the recording, and move the job to UPLOADING; asked again, a fresh ticket.

    Raise 507 when it would take the owner over the quota.
    """
    if size_bytes > settings.MAX_UPLOAD_BYTES:
        raise errors.invalid(
            "size_bytes", f"The largest upload is {settings.MAX_UPLOAD_BYTES} bytes.", code="too_large"
        )
    with transaction.atomic():
        # The owner's row too, so that of tickets asked for at once each counts the others.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        job = lock_job(job_id)
        if job.status != JobStatus.UPLOADING:
            move_job(job, "upload", by=by_editor(user), data={"filename": filename, "size_bytes": size_bytes})
        _make_room(job, size_bytes)
        ticket = UploadTicket.objects.create(
            job=job,
            key=f"{uploads_folder(job_id)}{uuid7()}",
            filename=filename,
            mime_type=mime_type,
            size_bytes=size_bytes,
            expires_at=timezone.now() + timedelta(seconds=settings.UPLOAD_URL_SECONDS),
        )
    upload = storage().upload(
        ticket.key, size=size_bytes, mime_type=mime_type, seconds=settings.UPLOAD_URL_SECONDS
    )
    return {
        "upload_url": upload.url,
        "method": "PUT",
        "headers": upload.headers,
        "parts": [
            {"part_number": part.number, "size_bytes": part.size_bytes, "upload_url": part.url}
            for part in upload.parts
        ],
        "video_uri": storage().uri(ticket.key),
        "expires_at": ticket.expires_at,
        "max_size_bytes": size_bytes,
    }


def _make_room(job: Job, size_bytes: int) -> None:
    """Close the oldest tickets of a job beyond MAX_OPEN_TICKETS with the one to come, and all of them before the
    owner is refused. Raise 507. The owner and the job are locked."""
    tickets = job.upload_tickets.filter(closed_at=None).order_by("-id")
    close_tickets(tickets.exclude(pk__in=[ticket.pk for ticket in tickets[: MAX_OPEN_TICKETS - 1]]))
    try:
        require_bytes(job.owner_id, size_bytes)
    except errors.ApiError:
        close_tickets(tickets)
        require_bytes(job.owner_id, size_bytes)


def close_tickets(tickets: QuerySet[UploadTicket]) -> None:
    """Close tickets of a locked job; their files go when the transaction is done."""
    closing = list(tickets.values_list("pk", "key"))
    UploadTicket.objects.filter(pk__in=[pk for pk, _ in closing]).update(closed_at=Now(), received_at=None)
    for _, key in closing:
        transaction.on_commit(partial(storage().delete, storage().uri(key)), robust=True)


def close_old_tickets() -> None:
    """Close the tickets of jobs that take no uploads any more, and those long expired; a part of the sweep."""
    is_over = ~Q(job__status=JobStatus.UPLOADING) | Q(expires_at__lt=timezone.now() - CLOSED_AFTER)
    over = UploadTicket.objects.filter(is_over, closed_at=None).order_by("id")
    with transaction.atomic():
        locked = list(over.select_for_update(skip_locked=True, of=("self",))[:MAX_TICKETS])
        close_tickets(UploadTicket.objects.filter(pk__in=[ticket.pk for ticket in locked]))


def declared(key: str) -> tuple[int, str]:
    """Return the size in bytes and the media type of a ticket, before its bytes are taken.

    Raise 404 without a ticket, and 409 for one that is closed or expired, or whose job takes no uploads any more.
    """
    ticket = UploadTicket.objects.select_related("job").filter(key=key).first()
    if ticket is None:
        raise errors.not_found()
    _require_open(ticket, ticket.job)
    if ticket.expires_at <= timezone.now():
        raise expired()
    return ticket.size_bytes, ticket.mime_type


@contextmanager
def naming(key: str) -> Iterator[None]:
    """Hold the job, and note that the file has come. Raise 404 and 409 as `declared` does, but for what expired only
    while the bytes came."""
    with transaction.atomic():
        ticket = UploadTicket.objects.filter(key=key).first()
        if ticket is None:
            raise errors.not_found()
        job = lock_job(ticket.job_id)
        ticket = UploadTicket.objects.select_for_update().get(pk=ticket.pk)
        _require_open(ticket, job)
        yield
        UploadTicket.objects.filter(pk=ticket.pk).update(
            received_at=Now(), receipts=F("receipts") + 1, refusal_code="", refusal_message=""
        )


def _require_open(ticket: UploadTicket, job: Job) -> None:
    if job.status != JobStatus.UPLOADING:
        raise errors.conflict(
            "UPLOAD_EXPIRED",
            f"The job is {job.status} and takes no upload any more.",
            hint="Create a new job for another video.",
        )
    if ticket.closed_at:
        raise expired()


def expired() -> errors.ApiError:
    return errors.conflict(
        "UPLOAD_EXPIRED", "This ticket is not valid any more.", hint="Ask for a fresh one, and upload again."
    )
