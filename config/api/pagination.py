"""Keyset pages over UUIDv7 keys: newest first, no OFFSET, no COUNT, `Link: rel="next"` (RFC 8288)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import errors
from config.api.ownership import NOBODY, parse_id
from config.api.serializers import StrictSerializer

MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment_of(row_id: UUID) -> datetime:
    """Return the time in a UUIDv7 (RFC 9562, section 5.7): its first 48 bits, in milliseconds."""
    return EPOCH + (row_id.int >> 80) * MILLISECOND


def first_id_from(moment: datetime) -> UUID:
    """Return the lowest UUIDv7 made at or after a moment. With it, a filter by time is a range of the primary key."""
    return _first_id(-((EPOCH - moment) // MILLISECOND))  # rounded up


def first_id_after(moment: datetime) -> UUID:
    """Return the lowest UUIDv7 made after a moment."""
    return _first_id((moment - EPOCH) // MILLISECOND + 1)


def _first_id(milliseconds: int) -> UUID:
    return UUID(int=max(0, milliseconds) << 80)


class PageQuery(StrictSerializer):
    """The query parameters of every list; lists with filters inherit from it."""

    limit = serializers.IntegerField(min_value=1, max_value=500, default=100)
    cursor = serializers.CharField(required=False)


class Fetch(Protocol):
    def __call__(self, *, after: UUID | None, limit: int) -> list[Any]:
        """Return so many rows at most that follow the one with the id `after` in the list's order; None: the first."""


def fetch_from(queryset: QuerySet[Any], *, oldest_first: bool = False) -> Fetch:
    """Return the rows of a list that is a queryset, newest first unless said."""

    def fetch(*, after: UUID | None, limit: int) -> list[Any]:
        ordered = queryset.order_by("pk" if oldest_first else "-pk")
        if after is not None:
            ordered = ordered.filter(pk__gt=after) if oldest_first else ordered.filter(pk__lt=after)
        return list(ordered[:limit])

    return fetch


def read_page(fetch: Fetch, request: Request, query: dict[str, Any]) -> tuple[list[Any], str | None]:
    """Return one page of rows, and the URL of the next page or None; `query` is a validated PageQuery.

    The cursor is the id of the last row; ids are UUIDv7, so they are in order of creation. Raise a 400 for a
    malformed cursor.
    """
    after = parse_id(query["cursor"]) if "cursor" in query else None
    if after == NOBODY:
        raise errors.invalid("cursor", "The cursor is not one that this list gave.")
    limit = query["limit"]
    rows = fetch(after=after, limit=limit + 1)
    if len(rows) <= limit:
        return rows, None
    following = request.query_params.copy()
    following["cursor"] = str(rows[limit - 1].id)
    return rows[:limit], f"{settings.PUBLIC_URL}{request.path}?{following.urlencode()}"


def page_response(content: Any, next_url: str | None) -> Response:
    return Response(content, headers={"Link": f'<{next_url}>; rel="next"'} if next_url else None)
