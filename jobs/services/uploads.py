"""Tickets for recordings, asked for by the owner."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from config.accounts.models import User
from config.api import errors
from config.storage import storage, uploads_folder
from jobs.models import Job, UploadTicket
from jobs.services.audit import by_editor
from jobs.services.quota import require_bytes
from jobs.services.tickets import answer_of_ticket, close_oldest, close_tickets, fields_of_ticket
from jobs.services.transitions import lock_job, move_job
from jobs.states import JobStatus

MAX_OPEN_TICKETS = 5  # of one job


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
            filename=filename,
            mime_type=mime_type,
            size_bytes=size_bytes,
            **fields_of_ticket(uploads_folder(job_id)),
        )
    upload = storage().upload(
        ticket.key, size=size_bytes, mime_type=mime_type, seconds=settings.UPLOAD_URL_SECONDS
    )
    return {
        **answer_of_ticket(ticket, upload),
        "parts": [
            {"part_number": part.number, "size_bytes": part.size_bytes, "upload_url": part.url}
            for part in upload.parts
        ],
        "video_uri": storage().uri(ticket.key),
        "max_size_bytes": size_bytes,
    }


def _make_room(job: Job, size_bytes: int) -> None:
    """Close the oldest tickets of a job beyond MAX_OPEN_TICKETS with the one to come, and all of them before the
    owner is refused. Raise 507. The owner and the job are locked."""
    tickets = job.upload_tickets.filter(closed_at=None)
    close_oldest(tickets, keep=MAX_OPEN_TICKETS - 1)
    try:
        require_bytes(job.owner_id, size_bytes)
    except errors.ApiError:
        close_tickets(tickets)
        require_bytes(job.owner_id, size_bytes)
