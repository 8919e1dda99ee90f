"""Tickets for pictures, as the storage, the quota and the sweeps know them: without the engines."""

from __future__ import annotations

from anchors.models import ImageUpload
from jobs.services.tickets import TicketKind
from jobs.states import HAS_DOCUMENT

PICTURES = TicketKind(ImageUpload, HAS_DOCUMENT, "Only the document of a job that has one takes pictures.")
