"""The rows of the room `jobs`."""

from __future__ import annotations

from jobs.models.jobs import Dispatch, Job, JobQuerySet, Project
from jobs.models.people import ApiToken, User, Users
from jobs.models.records import (
    AppendOnly,
    Artifact,
    AuditEvent,
    CallbackEvent,
    Tombstone,
    TranscriptSegment,
    Worker,
)

__all__ = [
    "ApiToken",
    "AppendOnly",
    "Artifact",
    "AuditEvent",
    "CallbackEvent",
    "Dispatch",
    "Job",
    "JobQuerySet",
    "Project",
    "Tombstone",
    "TranscriptSegment",
    "User",
    "Users",
    "Worker",
]
