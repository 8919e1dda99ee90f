"""What a job was given and made: content read and checked, and each new value as the next version."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL

from config.api import errors
from config.api.canonical import canonical_json
from config.api.strict_json import NotStrictJson, parse_object
from config.storage import BadUri, TooLarge, kept_folder, read_bytes, storage
from jobs import hooks
from jobs.artifact_updates import (
    CHECKS,
    CONTENT_KINDS,
    KNOWN_KEYS,
    MANIFEST_KINDS,
    READ_KINDS,
    UpdateInvalid,
)
from jobs.models import Artifact, Job, TranscriptSegment
from jobs.services.rows import RowInsert
from jobs.states import JobStatus

log = logging.getLogger(__name__)

MAX_CONTENT_BYTES = 16 * 2**20
# The statuses that a report may ask for once a kind's content counts. That of a screen counts in any report.
MILESTONES = {
    "transcript": (JobStatus.TRANSCRIPT_READY, JobStatus.GENERATING, JobStatus.DRAFT_READY),
    "draft": (JobStatus.DRAFT_READY,),
}
MILESTONE_STATUSES = frozenset(status for milestones in MILESTONES.values() for status in milestones)


def newest_artifact(job: Job, kind: str) -> Artifact | None:
    """Return the newest artifact of a kind, None when the job has none."""
    return job.artifacts.filter(kind=kind).order_by("-version").first()


@dataclass(frozen=True)
class NewArtifact:
    """An artifact to be added: where its bytes are, or what was sent in place of bytes."""

    uri: str = ""
    data: Any = None
    size_bytes: int | None = None


@dataclass(frozen=True)
class SubmittedContent:
    """A screen, transcript or draft that was sent: where it lies (or, inline, will lie: `raw`), and what it says; None
    when it lies elsewhere. `named` is the URI that came beside a content, for the manifest."""

    uri: str
    value: dict[str, Any] | None
    raw: bytes | None = None
    named: str | None = None

    def is_shown_by(self, job: Job, kind: str) -> bool:
        """Return whether the job's manifest shows it already."""
        is_same = self.named is None or self.uri == job.ingested_uris.get(kind)
        return is_same and (self.named or self.uri) == job.manifest.get(f"{kind}_uri")


def read_contents(job_id: UUID, updates: dict[str, Any]) -> dict[str, SubmittedContent]:
    """Read and check the screen, transcript and draft of a report. Raises 400s. Nothing is kept yet."""
    found = {}
    for kind in READ_KINDS:
        uri = updates.get(f"{kind}_uri")
        if kind in updates and kind in CONTENT_KINDS:
            if uri is not None:
                _require_own_folder(job_id, f"{kind}_uri", uri)
            value = _checked(kind, updates[kind], f"artifact_updates.{kind}")
            raw = canonical_json(value)
            lies_at = storage().content_uri(kept_folder(job_id), raw, suffix=".json")
            found[kind] = SubmittedContent(lies_at, value, raw, named=uri)
        elif uri is not None:
            found[kind] = SubmittedContent(uri, _read_own(job_id, kind, uri))
    return found


def _checked(kind: str, value: Any, field: str) -> dict[str, Any]:
    try:
        return CHECKS[kind](value)
    except UpdateInvalid as error:
        raise _not_well_formed(kind, field, error) from error


def _not_well_formed(kind: str, field: str, error: UpdateInvalid) -> errors.ApiError:
    where = ".".join(part for part in (field, error.field) if part)
    return errors.invalid(where, f"The {kind} is not well formed: {error}.")


def _read_own(job_id: UUID, kind: str, uri: str) -> dict[str, Any] | None:
    if not uri.startswith(storage().scheme):
        return None
    _require_own_folder(job_id, f"{kind}_uri", uri)
    field = f"artifact_updates.{kind}_uri"
    try:
        value = parse_object(read_bytes(uri, limit=MAX_CONTENT_BYTES))
    except FileNotFoundError as error:
        raise errors.invalid(field, "There is no such file.") from error
    except (TooLarge, NotStrictJson) as error:
        raise errors.invalid(field, "The file is too large, or not a JSON object.") from error
    return _checked(kind, value, field)


def _require_own_folder(job_id: UUID, key: str, uri: str) -> None:
    """Raise 400 for a file of our own storage that is not this job's."""
    try:
        if not uri.startswith(storage().scheme) or storage().key(uri).startswith(kept_folder(job_id)):
            return
    except BadUri:
        pass
    raise errors.invalid(f"artifact_updates.{key}", "This is not a file of this job.")


def read_earlier(job: Job, status: JobStatus) -> dict[str, SubmittedContent]:
    """Read what came with an earlier report and counts from `status` on; what cannot be read is left out."""
    found = {}
    for kind, milestones in MILESTONES.items():
        ingested = job.ingested_uris.get(kind)
        if status not in milestones or job.manifest.get(f"{kind}_uri") in (None, ingested):
            continue
        uri = _newest_own_uri(job, kind)
        if uri is None or uri == ingested:
            continue
        try:
            found[kind] = SubmittedContent(uri, _read_own(job.pk, kind, uri))
        except errors.ApiError:
            log.warning("the %s of job %s cannot be read", kind, job.pk)
    return found


@dataclass(frozen=True)
class Ingestion:
    """What is to be stored with the job locked, of the content that lies at `uri`; it was prepared with the transcript
    that lies at `transcript_uri`."""

    kind: str
    uri: str
    transcript_uri: str | None
    store: Callable[[Job], None]


def prepare_ingestions(job: Job, status: JobStatus, contents: dict[str, SubmittedContent]) -> list[Ingestion]:
    """Read what counts from `status` on for our rows, before any lock: a screen at once, the transcript at
    TRANSCRIPT_READY, the draft at DRAFT_READY. What lies elsewhere cannot be read, and is left. Raises 400s."""
    counting = {
        kind: contents[kind]
        for kind in READ_KINDS  # the transcript before the draft, which rests on it
        if kind in contents and status in MILESTONES.get(kind, JobStatus) and contents[kind].value is not None
    }
    heard = counting.get("transcript")
    transcript_uri = heard.uri if heard else job.ingested_uris.get("transcript")
    spoken = partial(_spoken, job, heard.value if heard else None)
    return [
        Ingestion(kind, content.uri, transcript_uri, _prepared(kind, content, spoken))
        for kind, content in counting.items()
    ]


def _prepared(kind: str, content: SubmittedContent, spoken: hooks.Spoken) -> Callable[[Job], None]:
    try:
        return hooks.INGEST[kind](content.value or {}, spoken)
    except UpdateInvalid as error:
        field = f"artifact_updates.{kind}" + ("_uri" if content.raw is None else "")
        raise _not_well_formed(kind, field, error) from error


def _spoken(job: Job, transcript: dict[str, Any] | None) -> list[tuple[int, int]]:
    """Return the times of the segments of a transcript that is about to be stored, else of the one that is."""
    if transcript is not None:
        return [(segment["start_ms"], segment["end_ms"]) for segment in transcript["segments"]]
    return list(job.segments.order_by("start_ms", "position").values_list("start_ms", "end_ms"))


def ingest(job: Job, ingestions: list[Ingestion]) -> None:
    """Store what was prepared, unless it was stored before. The job is locked. Raises 503 for a draft that was prepared
    with a transcript that is no longer the job's."""
    for ingestion in ingestions:
        if ingestion.uri == job.ingested_uris.get(ingestion.kind):
            continue
        if ingestion.kind == "draft" and ingestion.transcript_uri != job.ingested_uris.get("transcript"):
            raise errors.unavailable("The transcript changed while the draft was read.")
        ingestion.store(job)
        job.ingested_uris = {**job.ingested_uris, ingestion.kind: ingestion.uri}


def _newest_own_uri(job: Job, kind: str) -> str | None:
    """Return where the newest content lies that we can read: beside the URI of its artifact, or there."""
    ours = Q(uri__startswith=storage().scheme) | Q(data__has_key="content_uri")
    newest = job.artifacts.filter(ours, kind=kind).order_by("-version").first()
    return (newest.data or {}).get("content_uri", newest.uri) if newest else None


def new_artifacts(
    job: Job, updates: dict[str, Any], contents: dict[str, SubmittedContent]
) -> dict[str, NewArtifact]:
    """Return the artifacts that a report adds, by kind: values that the manifest does not show already."""
    made = {}
    for kind, content in contents.items():
        if content.is_shown_by(job, kind):
            continue
        if content.raw is not None:
            # Not before: a report that is refused leaves no file.
            storage().save_bytes(kept_folder(job.pk), content.raw, suffix=".json")
        made[kind] = _content_artifact(content)
    for key, value in updates.items():
        if key in ("audio_uri", "export_uri"):
            _require_own_folder(job.pk, key, value)
            if value != job.manifest.get(key) and value not in job.manifest.get("exports", []):
                made[key.removesuffix("_uri")] = _stored_artifact(value)
        elif key == "metrics":
            made[key] = NewArtifact(data=value)
        elif key not in KNOWN_KEYS:
            made[f"other:{key}"] = NewArtifact(data=value)
    return made


def _content_artifact(content: SubmittedContent) -> NewArtifact:
    """Return the artifact of a content: by its file, or by the URI that came with it, the file beside it."""
    stored = _stored_artifact(content.uri)
    if content.named is None:
        return stored
    return NewArtifact(content.named, {"content_uri": content.uri}, stored.size_bytes)


def _stored_artifact(uri: str) -> NewArtifact:
    """Return an artifact by its URI, with its size where the file is ours; it counts into the owner's quota."""
    try:
        return NewArtifact(uri=uri, size_bytes=storage().size(uri))
    except (BadUri, FileNotFoundError):
        return NewArtifact(uri=uri)


def add_artifacts(job: Job, made: dict[str, NewArtifact]) -> list[RowInsert]:
    """Return one row a kind, each the next version of its kind; the locked job's manifest shows the newest."""
    if not made:
        return []
    job.manifest = {
        **job.manifest,
        **{f"{kind}_uri": made[kind].uri for kind in MANIFEST_KINDS if kind in made},
    }
    if "export" in made:
        job.manifest["exports"] = [*job.manifest.get("exports", []), made["export"].uri]
    rows = [
        Artifact(
            job_id=job.pk,
            kind=kind,
            version=_next_version(job, kind),
            uri=new.uri,
            data=new.data,
            size_bytes=new.size_bytes,
        )
        for kind, new in made.items()
    ]
    return [RowInsert.of(*rows)]


def _next_version(job: Job, kind: str) -> RawSQL:
    table = Artifact._meta.db_table
    # Our own table's name; the values are parameters.
    next_one = f"SELECT 1 + coalesce(max(version), 0) FROM {table} WHERE job_id = %s AND kind = %s"  # nosec B608
    return RawSQL(next_one, [job.pk, kind])  # nosec B611


# Our own table's name.
_INSERT_SEGMENTS = f"""
    INSERT INTO {TranscriptSegment._meta.db_table} (job_id, position, start_ms, end_ms, text)
    SELECT %s, number - 1, start_ms, end_ms, text FROM ROWS FROM (
        json_to_recordset(%s) AS (start_ms integer, end_ms integer, text text)
    ) WITH ORDINALITY AS segment (start_ms, end_ms, text, number)
"""  # nosec B608


def prepare_segments(content: dict[str, Any], spoken: hooks.Spoken) -> Callable[[Job], None]:
    """Return what puts a transcript's segments in the place of those before."""

    segments = json.dumps(content["segments"])

    def store(job: Job) -> None:
        if "transcript" in job.ingested_uris:
            job.segments.all().delete()
        with connection.cursor() as cursor:  # for 100,000 rows the ORM takes six seconds, with the job locked
            cursor.execute(_INSERT_SEGMENTS, [job.pk, segments])

    return store
