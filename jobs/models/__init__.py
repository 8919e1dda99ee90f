"""The rows of the app `jobs`."""

from __future__ import annotations

from jobs.models.dispatches import Dispatch, PipelineRun
from jobs.models.jobs import Job, JobQuerySet, Project
from jobs.models.records import (
    AppendOnly,
    Artifact,
    AuditEvent,
    CallbackEvent,
    RefusedCallback,
    RefusedCallbackCount,
    ScreenEvent,
    Tombstone,
    TranscriptSegment,
)
from jobs.models.uploads import FileWalk, Ticket, UploadTicket

__all__ = [
    "AppendOnly",
    "Artifact",
    "AuditEvent",
    "CallbackEvent",
    "Dispatch",
    "FileWalk",
    "Job",
    "JobQuerySet",
    "PipelineRun",
    "Project",
    "RefusedCallback",
    "RefusedCallbackCount",
    "ScreenEvent",
    "Ticket",
    "Tombstone",
    "TranscriptSegment",
    "UploadTicket",
]
