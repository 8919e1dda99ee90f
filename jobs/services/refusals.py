"""Callbacks that came with the secret and were refused: kept for support, who are asked why nothing happens."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import DatabaseError, connection

from jobs.models import Job, RefusedCallback, RefusedCallbackCount
from jobs.services.rows import RowInsert

log = logging.getLogger(__name__)

_COUNTS = RefusedCallbackCount._meta.db_table


def note_refusal(job_id: UUID, refused: RefusedCallback) -> None:
    """Count the refusal of a callback to a job that there is, and keep it unless MAX_A_JOB are kept already.

    One statement with a transaction of its own, for that of the callback has been rolled back. The answer to the
    callback does not depend on it: if it cannot be written, the log says so.
    """
    refused.job_id = job_id
    kept = RowInsert.of(refused)
    into, values = kept.sql.split(" VALUES ")
    statement = f"""
        WITH counted AS (
            INSERT INTO {_COUNTS} AS counts (job_id, number)
            SELECT id, 1 FROM {Job._meta.db_table} WHERE id = %s
            ON CONFLICT (job_id) DO UPDATE SET number = counts.number + 1
            RETURNING number
        )
        {into} SELECT {values.strip("()")} FROM counted
        WHERE counted.number <= {RefusedCallback.MAX_A_JOB}"""  # our tables and columns  # nosec B608
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, [job_id, *kept.parameters])
    except DatabaseError:
        log.warning("the refusal of a callback was not written down", exc_info=True)
