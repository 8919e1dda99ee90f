"""Keyset pages over UUIDv7 keys: newest first, no OFFSET, no COUNT, `Link: rel="next"` (RFC 8288)."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import errors
from config.api.ownership import NOBODY, parse_id
from config.api.serializers import StrictSerializer

M = TypeVar("M", bound=Model)


class PageQuery(StrictSerializer):
    """The query parameters of every list; lists with filters inherit from it."""

    limit = serializers.IntegerField(min_value=1, max_value=500, default=100)
    cursor = serializers.CharField(required=False)


def read_page(
    queryset: QuerySet[M], request: Request, query: dict[str, Any], *, oldest_first: bool = False
) -> tuple[list[M], str | None]:
    """One page of rows, and the URL of the next page or None; `query` is a validated PageQuery.

    The cursor is the id of the last row given; ids are UUIDv7, so their order is that of creation.
    Raises a 400 for a cursor that is off.
    """
    if "cursor" in query:
        after = parse_id(query["cursor"])
        if after == NOBODY:
            raise errors.invalid("cursor", "The cursor is not one that this list gave.")
        queryset = queryset.filter(pk__gt=after) if oldest_first else queryset.filter(pk__lt=after)
    limit = query["limit"]
    rows = list(queryset.order_by("pk" if oldest_first else "-pk")[: limit + 1])
    if len(rows) <= limit:
        return rows, None
    following = request.query_params.copy()
    following["cursor"] = str(rows[limit - 1].pk)
    return rows[:limit], request.build_absolute_uri(f"{request.path}?{following.urlencode()}")


def page_response(content: Any, next_url: str | None) -> Response:
    return Response(content, headers={"Link": f'<{next_url}>; rel="next"'} if next_url else None)
