"""Fetch the row that a path names from what the user may see, or raise the same 404 in all other cases."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from config.api import errors

M = TypeVar("M", bound=Model)
NOBODY = UUID(int=0)


def parse_id(raw: object) -> UUID:
    """Return an id from outside. A malformed one becomes an id that no row has, so that it leads to the same query
    and answer as a missing one."""
    try:
        value = UUID(str(raw))
    except ValueError:
        return NOBODY
    return value if str(value) == str(raw) else NOBODY


def get_visible(queryset: QuerySet[M], raw_id: object) -> M:
    """Return one row by id, from a queryset of what the user may see; raise the 404 of the contract."""
    row = queryset.filter(pk=parse_id(raw_id)).first()
    if row is None:
        raise errors.not_found()
    return row
