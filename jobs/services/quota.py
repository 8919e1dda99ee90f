"""The owner's quota: how many bytes the files of all jobs of an owner may have."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet, Sum

from config.api import errors
from jobs import hooks
from jobs.models import Artifact
from jobs.services.tickets import RECORDINGS


def require_bytes(owner_id: UUID, size_bytes: int = 1) -> None:
    """Raise 507 unless the owner's jobs may keep so many bytes more.

    Work whose size nobody knows yet asks for one. So what is made at once, or in work accepted before, may go over.
    """
    limit = settings.QUOTA_BYTES_PER_OWNER
    if (used := used_bytes(owner_id)) + size_bytes > limit:
        raise errors.ApiError(
            507,
            "STORAGE_FULL",
            f"With this your jobs would keep more than the {limit} bytes that you may have here.",
            details={"limit_bytes": limit, "used_bytes": used},
            hint="Delete jobs that you do not need any more, or cancel uploads that you have begun.",
        )


def used_bytes(owner_id: UUID) -> int:
    """Return the bytes that an owner's jobs keep, and those that are still to come with a ticket or lie there."""
    return used_by_owner([owner_id])[owner_id]


def used_by_owner(owner_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return the `used_bytes` of these owners, by their ids.

    One statement. Each row counts for itself, also where two name one file.
    """
    kept = [rows(owner_ids) for rows in (_artifacts, RECORDINGS.counted, *hooks.KEPT_BYTES)]
    first, *others = (_sum(rows) for rows in kept)
    used = dict.fromkeys(owner_ids, 0)
    for owner_id, found in first.union(*others, all=True):
        used[owner_id] += int(found or 0)
    return used


def _sum(rows: QuerySet[Any]) -> Any:
    by_owner = rows.order_by().values("job__owner_id").annotate(bytes=Sum("size_bytes"))
    return by_owner.values_list("job__owner_id", "bytes")


def _artifacts(owner_ids: Collection[UUID]) -> QuerySet[Any]:
    return Artifact.objects.filter(job__owner_id__in=owner_ids)
