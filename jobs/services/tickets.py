"""Tickets of every kind of upload: held to what was declared while they are open, and closed with their files."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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

from config.api import errors
from config.storage import storage
from config.storage.base import UploadRequest
from config.storage.uploads import Declared
from jobs.models import Job, Ticket, UploadTicket
from jobs.services.transitions import lock_job
from jobs.states import JobStatus

# After it has expired: so long a PUT that began in time may take, and its file wait to be confirmed.
CLOSED_AFTER = timedelta(days=1)
MAX_TICKETS = 500  # in one sweep


@dataclass(frozen=True)
class TicketKind:
    """The tickets of one model, and in which statuses their jobs take uploads; `hint` is for those that do not."""

    model: type[Ticket]
    taken_in: Collection[JobStatus]
    hint: str

    def declared(self, key: str) -> Declared:
        """Return what a ticket was asked for, before its bytes are taken.

        Raise 404 without a ticket, and 409 for one that is closed or expired, or whose job takes no uploads any more.
        """
        ticket = self._rows.select_related("job").filter(key=key).first()
        if ticket is None:
            raise errors.not_found()
        self._require_open(ticket, ticket.job)
        if ticket.expires_at <= timezone.now():
            raise expired()
        return Declared(ticket.size_bytes, ticket.mime_type, ticket.declared_sha256)

    @contextmanager
    def naming(self, key: str) -> Iterator[None]:
        """Hold the job, and note that the file has come. Raise 404 and 409 as `declared` does, but for what expired
        only while the bytes came."""
        with transaction.atomic():
            ticket = self._rows.filter(key=key).first()
            if ticket is None:
                raise errors.not_found()
            job = lock_job(ticket.job_id)
            ticket = self._rows.select_for_update().get(pk=ticket.pk)
            self._require_open(ticket, job)
            yield
            self._rows.filter(pk=ticket.pk).update(
                received_at=Now(), receipts=F("receipts") + 1, refusal_code="", refusal_message=""
            )

    def _require_open(self, ticket: Ticket, job: Job) -> None:
        if job.status not in self.taken_in:
            message = f"The job is {job.status} and takes no upload any more."
            raise errors.conflict("UPLOAD_EXPIRED", message, hint=self.hint)
        if ticket.closed_at:
            raise expired()

    def close_old(self) -> None:
        """Close the tickets of jobs that take no uploads any more, and those long expired; a part of the sweep."""
        is_over = ~Q(job__status__in=self.taken_in) | Q(expires_at__lt=timezone.now() - CLOSED_AFTER)
        over = self._rows.filter(is_over, closed_at=None).order_by("id")
        with transaction.atomic():
            locked = list(over.select_for_update(skip_locked=True, of=("self",))[:MAX_TICKETS])
            close_tickets(self._rows.filter(pk__in=[ticket.pk for ticket in locked]))

    def files(self, job_id: UUID) -> list[str]:
        """Return the URIs of the files that a job's open tickets name, whether they have come or not."""
        keys = self._rows.filter(job_id=job_id, closed_at=None).values_list("key", flat=True)
        return [storage().uri(key) for key in keys]

    def counted(self, owner_ids: Collection[UUID]) -> QuerySet[Any]:
        """Return the tickets of these owners whose bytes lie there or may still come."""
        return self._rows.filter(
            ~Q(received_at=None) | Q(expires_at__gt=timezone.now()),
            job__owner_id__in=owner_ids,
            job__status__in=self.taken_in,
            closed_at=None,
        )

    @property
    def _rows(self) -> QuerySet[Any]:
        return self.model._default_manager.all()


RECORDINGS = TicketKind(UploadTicket, {JobStatus.UPLOADING}, "Create a new job for another video.")


def fields_of_ticket(folder: str) -> dict[str, Any]:
    """Return the key and the expiry of a new ticket for a file in this folder."""
    expires_at = timezone.now() + timedelta(seconds=settings.UPLOAD_URL_SECONDS)
    return {"key": f"{folder}{uuid7()}", "expires_at": expires_at}


def answer_of_ticket(ticket: Ticket, request: UploadRequest) -> dict[str, Any]:
    """Return what the answers of all tickets say: how the file is sent, and until when."""
    return {
        "upload_url": request.url,
        "method": "PUT",
        "headers": request.headers,
        "expires_at": ticket.expires_at,
    }


def close_oldest(tickets: QuerySet[Any], *, keep: int) -> None:
    """Close open tickets of a locked job, but for the newest so many."""
    newest = [ticket.pk for ticket in tickets.order_by("-id")[:keep]]
    close_tickets(tickets.exclude(pk__in=newest))


def close_tickets(tickets: QuerySet[Any], **fields: Any) -> None:
    """Close tickets of a locked job, and write `fields`; their files go when the transaction is done."""
    closing = list(tickets.values_list("pk", "key"))
    rows = tickets.model._default_manager.filter(pk__in=[pk for pk, _ in closing])
    rows.update(closed_at=Now(), received_at=None, **fields)
    for _, key in closing:
        transaction.on_commit(partial(storage().delete, storage().uri(key)), robust=True)


def expired() -> errors.ApiError:
    return errors.conflict(
        "UPLOAD_EXPIRED", "This ticket is not valid any more.", hint="Ask for a fresh one, and upload again."
    )


def not_received() -> errors.ApiError:
    return errors.conflict(
        "UPLOAD_NOT_RECEIVED",
        "Nothing was uploaded with this ticket yet.",
        hint="PUT the file to upload_url first.",
    )
