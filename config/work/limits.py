"""How much work of one kind an owner may have open, waiting or running: the rest must wait outside."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from config.api import errors
from config.work.lanes import BULK
from config.work.models import WorkRow

RETRY_AFTER_SECONDS = 10


def require_room(model: type[WorkRow], owner_id: UUID) -> None:
    """Raise 429 when the owner has `MAX_OPEN_PER_OWNER` rows open; those of the lanes in BULK do not count.

    To be called in the transaction that opens one more, after all other locks: of requests at once, for whatever
    jobs, each counts what the one before has opened.
    """
    limit = model.MAX_OPEN_PER_OWNER
    if limit is None:
        return
    with connection.cursor() as cursor:
        lock = f"open {model._meta.label_lower} {owner_id}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])
    rows = model._default_manager.filter(owner_id=owner_id, status__in=[model.WAITING, model.RUNNING])
    if (open_rows := rows.exclude(lane__in=BULK).count()) >= limit:
        raise errors.rate_limited(
            f"Too many {model._meta.verbose_name_plural} of yours are waiting.",
            hint="Wait until some of them are done.",
            seconds=RETRY_AFTER_SECONDS,
            limit=limit,
            open=open_rows,
        )
