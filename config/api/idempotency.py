"""`Idempotency-Key`: a creation that is repeated within 24 h is answered with the row of the first one.

The created row has the key, which is unique in its scope (an owner's projects, a project's jobs). Of two simultaneous
requests, the second waits at the unique index for the first, and then gets its row.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import rfc8785
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from config.api import errors

if TYPE_CHECKING:
    from rest_framework.request import Request

KEPT_FOR = timedelta(hours=24)
WELL_FORMED = re.compile(r"[\x21-\x7e]{1,255}\Z")


class CreatedOnce(models.Model):
    """A row with the key of the request that created it, and the SHA-256 of the body."""

    idempotency_key = models.CharField(max_length=255, null=True, editable=False)
    idempotency_sha256 = models.CharField(max_length=64, default="", editable=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


M = TypeVar("M", bound=CreatedOnce)


def read_key(request: Request) -> str | None:
    """Return the key of the request, or None; raise a 400 unless it is 1 to 255 visible ASCII characters."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not WELL_FORMED.match(key):
        raise errors.invalid("Idempotency-Key", "A key is 1 to 255 visible ASCII characters.")
    return key


def create_once(
    scope: models.QuerySet[M], *, key: str | None, body: dict[str, Any], create: Callable[..., M]
) -> tuple[M, bool]:
    """Return the row that `create(**fields)` creates with the key, or an earlier one with this key, and whether it
    is an earlier one.

    `create` passes the fields on to the row. Raise 409 IDEMPOTENCY_KEY_REUSED if the earlier body was different.
    """
    if key is None:
        return create(), False
    digest = hashlib.sha256(rfc8785.dumps(body)).hexdigest()
    scope.filter(idempotency_key=key, created_at__lte=Now() - KEPT_FOR).update(idempotency_key=None)
    try:
        with transaction.atomic():
            return create(idempotency_key=key, idempotency_sha256=digest), False
    except IntegrityError:
        row = scope.filter(idempotency_key=key).first()
        if row is None:
            raise
    if row.idempotency_sha256 != digest:
        raise errors.conflict(
            "IDEMPOTENCY_KEY_REUSED",
            "This Idempotency-Key was used with another body.",
            hint="Send a new key for a new request.",
        )
    return row, True
