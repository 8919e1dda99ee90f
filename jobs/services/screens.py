"""What the screen of a job's video shows being done: the rows of its events, and the artifact that has all of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.db import connection
from uuid6 import uuid7

from config.storage import read_bytes
from config.work.models import WorkFailed
from jobs import hooks
from jobs.media.screen import Screen
from jobs.media.screen.stored import screen_from_json
from jobs.models import Job, ScreenEvent
from jobs.services.artifacts import MAX_CONTENT_BYTES

# Our own table's name. For 20,000 rows the ORM takes more than a second, with the job locked.
_INSERT_EVENTS = f"""
    INSERT INTO {ScreenEvent._meta.db_table} (
        id, job_id, position, at_ms, end_ms, kind, label, text, region, confidence, pointer, picture_ms, frame,
        page_share
    )
    SELECT id, %s, number - 1, at_ms, end_ms, kind, coalesce(label, ''), coalesce(text, ''), region, confidence,
        pointer, picture_ms, frame, coalesce(page_share, 0)
    FROM ROWS FROM (json_to_recordset(%s) AS (
        id uuid, at_ms integer, end_ms integer, kind text, label text, text text, region jsonb,
        confidence double precision, pointer jsonb, picture_ms integer, frame jsonb, page_share double precision
    )) WITH ORDINALITY AS event (
        id, at_ms, end_ms, kind, label, text, region, confidence, pointer, picture_ms, frame, page_share, number
    )
"""  # nosec B608


def prepare_events(content: dict[str, Any], spoken: hooks.Spoken) -> Callable[[Job], None]:
    """Return what puts a screen's events in the place of those before."""
    events = json.dumps([{**event, "id": str(uuid7())} for event in content["events"]])

    def store(job: Job) -> None:
        if "screen" in job.ingested_uris:
            job.screen_events.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(_INSERT_EVENTS, [job.pk, events])

    return store


def read_stored_screen(job: Job) -> Screen:
    """Return what is stored of the job's screen, no events when there is nothing. Raises WorkFailed. For workers."""
    uri = job.ingested_uris.get("screen")
    if uri is None:
        return Screen()
    try:
        return screen_from_json(read_bytes(uri, limit=MAX_CONTENT_BYTES))
    except FileNotFoundError as error:
        raise WorkFailed("ARTIFACT_MISSING", "The screen of this job is missing. Ask support.") from error
