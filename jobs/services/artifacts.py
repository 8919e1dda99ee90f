"""What a job was given and made: content read and checked, and each new value as the next version."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import rfc8785
from psycopg.types.json import Jsonb
from rest_framework.exceptions import ParseError
from uuid6 import uuid7

from config.api import errors
from config.api.parsers import parse_object
from config.api.storage import BadUri, TooLarge, kept_folder, read_bytes, storage
from jobs import hooks
from jobs.models import Job, TranscriptSegment
from jobs.services.transitions import Insert
from jobs.speech import transcript_from_json, transcript_to_json
from jobs.states import JobStatus

log = logging.getLogger(__name__)

CONTENT_LIMIT = 16 * 2**20
LONGEST_FIELD = 128
# The kinds whose newest URI the manifest shows; the first two have content that we keep ourselves.
CONTENT_KINDS = ("transcript", "draft")
URI_KINDS = ("audio", *CONTENT_KINDS)
# The statuses that a report may ask for once a kind's content counts.
MILESTONES = {
    "transcript": (JobStatus.TRANSCRIPT_READY, JobStatus.GENERATING, JobStatus.DRAFT_READY),
    "draft": (JobStatus.DRAFT_READY,),
}
MILESTONE_STATUSES = frozenset(status for milestones in MILESTONES.values() for status in milestones)
KNOWN_KEYS = frozenset(
    {"video_uri", "audio_uri", "transcript_uri", "draft_uri", "export_uri", "metrics", *CONTENT_KINDS}
)


@dataclass(frozen=True)
class NewArtifact:
    """One artifact to be added: where its bytes are, or what was sent in place of bytes."""

    uri: str = ""
    data: Any = None


@dataclass(frozen=True)
class Content:
    """A transcript or draft that was sent: where it lies (or, inline, will lie: `raw`), and what it says; None
    when it lies elsewhere."""

    uri: str
    value: dict[str, Any] | None
    raw: bytes | None = None


def read_contents(job_id: UUID, updates: dict[str, Any]) -> dict[str, Content]:
    """The transcript and draft of a report, checked. Raises 400s. Nothing is kept yet."""
    found = {}
    for kind in CONTENT_KINDS:
        key = f"{kind}_uri"
        if kind in updates and key in updates:
            raise errors.invalid(f"artifact_updates.{kind}", f"Send {kind} or {key}, not both.")
        if kind in updates:
            value = _checked(kind, updates[kind], f"artifact_updates.{kind}")
            raw = rfc8785.dumps(value)
            found[kind] = Content(storage().content_uri(kept_folder(job_id), raw, suffix=".json"), value, raw)
        elif key in updates:
            found[kind] = Content(updates[key], _read_own(job_id, kind, updates[key]))
    return found


def _checked(kind: str, value: Any, field: str) -> dict[str, Any]:
    try:
        return CHECKS[kind](value)
    except ValueError as error:
        raise errors.invalid(field, f"The {kind} is not well formed: {error}") from error


def _read_own(job_id: UUID, kind: str, uri: str) -> dict[str, Any] | None:
    if not uri.startswith(storage().scheme):
        return None
    _require_own_folder(job_id, f"{kind}_uri", uri)
    field = f"artifact_updates.{kind}_uri"
    try:
        value = parse_object(read_bytes(uri, limit=CONTENT_LIMIT))
    except FileNotFoundError as error:
        raise errors.invalid(field, "There is no such file.") from error
    except (TooLarge, ParseError) as error:
        raise errors.invalid(field, "The file is too large, or not a JSON object.") from error
    return _checked(kind, value, field)


def _require_own_folder(job_id: UUID, key: str, uri: str) -> None:
    """Raise 400 for a file of our own storage that is not this job's."""
    try:
        if not uri.startswith(storage().scheme) or storage().key(uri).startswith(kept_folder(job_id)):
            return
    except BadUri:
        pass  # of our scheme, and no key
    raise errors.invalid(f"artifact_updates.{key}", "This is not a file of this job.")


def read_earlier(job: Job, status: JobStatus) -> dict[str, Content]:
    """What came with an earlier report and counts from `status` on; what cannot be read any more is left out."""
    found = {}
    for kind, milestones in MILESTONES.items():
        uri = _newest_own_uri(job, kind) if status in milestones else None
        if uri is None or uri == job.taken_in.get(kind):
            continue
        try:
            found[kind] = Content(uri, _read_own(job.pk, kind, uri))
        except errors.ApiError:
            log.warning("the %s of job %s cannot be read", kind, job.pk)
    return found


def take_in(job: Job, status: JobStatus, contents: dict[str, Content]) -> None:
    """At TRANSCRIPT_READY the segments, at DRAFT_READY the instruction, from what was sent with this report or
    before it. What lies elsewhere cannot be read, and is left."""
    for kind, milestones in MILESTONES.items():
        if status not in milestones or kind not in contents:
            continue
        uri, value = contents[kind].uri, contents[kind].value
        if value is None or uri == job.taken_in.get(kind):
            continue
        if kind == "transcript":
            _store_segments(job, value)
        if kind in hooks.INGEST:
            hooks.INGEST[kind](job, value)
        job.taken_in = {**job.taken_in, kind: uri}


def _newest_own_uri(job: Job, kind: str) -> str | None:
    uri: str | None = job.manifest.get(f"{kind}_uri")
    if uri is None or uri.startswith(storage().scheme):
        return uri
    ours = job.artifacts.filter(kind=kind, uri__startswith=storage().scheme).order_by("-version")
    return ours.values_list("uri", flat=True).first()


def check_draft(content: Any) -> dict[str, Any]:
    """A draft: `{markdown, title?, model_profile_id?, prompt_template_id?, prompt_params_ref?}`; else ValueError."""
    known = {"markdown", "title", "model_profile_id", "prompt_template_id", "prompt_params_ref"}
    if not isinstance(content, dict) or not isinstance(content.get("markdown"), str):
        raise ValueError("markdown is missing")
    if unknown := sorted(set(content) - known):
        raise ValueError(f"unknown fields {', '.join(unknown)[:100]}")
    for name, value in content.items():
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name} is not a string")
        if name != "markdown" and len(value or "") > LONGEST_FIELD:
            raise ValueError(f"{name} has more than {LONGEST_FIELD} characters")
    if not content["markdown"].strip() or len(content["markdown"].encode()) > 2**20:
        raise ValueError("markdown is empty or over 1 MiB")
    return content


CHECKS = {
    "transcript": lambda content: transcript_to_json(transcript_from_json(content)),
    "draft": check_draft,
}


def new_artifacts(job: Job, updates: dict[str, Any], contents: dict[str, Content]) -> dict[str, NewArtifact]:
    """The artifacts that a report adds, by kind: values that the manifest does not show already."""
    made = {}
    for kind, content in contents.items():
        if content.uri == job.manifest.get(f"{kind}_uri"):
            continue
        if content.raw is not None:  # not before: a report that is refused leaves no file
            storage().save_bytes(kept_folder(job.pk), content.raw, suffix=".json")
        made[kind] = NewArtifact(uri=content.uri)
    for key, value in updates.items():
        if key in ("audio_uri", "export_uri"):
            _require_own_folder(job.pk, key, value)
            if value != job.manifest.get(key) and value not in job.manifest.get("exports", []):
                made[key.removesuffix("_uri")] = NewArtifact(uri=value)
        elif key == "metrics":
            made[key] = NewArtifact(data=value)
        elif key not in KNOWN_KEYS:
            made[f"other:{key}"] = NewArtifact(data=value)
    return made


def add_artifacts(job: Job, made: dict[str, NewArtifact]) -> list[Insert]:
    """One row a kind, each the next version of its kind; the manifest of the locked job shows the newest."""
    if not made:
        return []
    job.manifest = {**job.manifest, **{f"{kind}_uri": made[kind].uri for kind in URI_KINDS if kind in made}}
    if "export" in made:
        job.manifest["exports"] = [*job.manifest.get("exports", []), made["export"].uri]
    return [
        Insert(
            """INSERT INTO jobs_artifact (id, job_id, kind, version, uri, data, sha256)
            SELECT new.id, %s, new.kind, 1 + coalesce((SELECT max(version) FROM jobs_artifact old
                WHERE old.job_id = %s AND old.kind = new.kind), 0), new.uri, new.data, ''
            FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::jsonb[]) AS new (id, kind, uri, data)""",
            (
                job.pk,
                job.pk,
                [uuid7() for _ in made],
                list(made),
                [artifact.uri for artifact in made.values()],
                [None if artifact.data is None else Jsonb(artifact.data) for artifact in made.values()],
            ),
        )
    ]


def _store_segments(job: Job, content: dict[str, Any]) -> None:
    """The newest transcript's segments in place of those before."""
    if "transcript" in job.taken_in:
        job.segments.all().delete()
    TranscriptSegment.objects.bulk_create(
        (
            TranscriptSegment(job=job, position=position, **segment)
            for position, segment in enumerate(content["segments"])
        ),
        batch_size=1000,
    )
