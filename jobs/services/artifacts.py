"""What a job was given and made: content read and checked, and each new value as the next version."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import rfc8785
from psycopg.types.json import Jsonb
from uuid6 import uuid7

from config.api import errors
from config.api.storage import BadUri, TooLarge, kept_folder, read_bytes, storage
from jobs.models import Job, TranscriptSegment
from jobs.services.transitions import Insert
from jobs.speech import transcript_from_json, transcript_to_json

CONTENT_LIMIT = 16 * 2**20
# The kinds whose newest URI the manifest shows; the first two have content that we keep ourselves.
CONTENT_KINDS = ("transcript", "draft")
URI_KINDS = ("audio", *CONTENT_KINDS)
KNOWN_KEYS = frozenset(
    {"video_uri", "audio_uri", "transcript_uri", "draft_uri", "export_uri", "metrics", *CONTENT_KINDS}
)


@dataclass(frozen=True)
class NewArtifact:
    """One artifact to be added: where its bytes are, or what was sent in place of bytes."""

    uri: str = ""
    data: Any = None


def read_content(job_id: UUID, kind: str, updates: dict[str, Any]) -> dict[str, Any]:
    """The transcript or draft that came inline or by a URI of ours, checked; {} when there is none."""
    if kind in updates:
        content, field = updates[kind], f"artifact_updates.{kind}"
    elif f"{kind}_uri" in updates:
        field = f"artifact_updates.{kind}_uri"
        content = _read_own(job_id, updates[f"{kind}_uri"], field)
    else:
        return {}
    try:
        return CHECKS[kind](content)
    except ValueError as error:
        raise errors.invalid(field, f"The {kind} is not well formed: {error}") from error


def _read_own(job_id: UUID, uri: str, field: str) -> Any:
    try:
        if not storage().key(uri).startswith(kept_folder(job_id)):
            raise BadUri(uri)
        return json.loads(read_bytes(uri, limit=CONTENT_LIMIT))
    except (BadUri, FileNotFoundError) as error:
        raise errors.invalid(field, "This is not a file of this job.") from error
    except (TooLarge, ValueError) as error:
        raise errors.invalid(field, "The file is too large, or not JSON.") from error


def check_draft(content: Any) -> dict[str, Any]:
    """A draft: `{markdown, title?, model_profile_id?, prompt_template_id?, prompt_params_ref?}`; else ValueError."""
    known = {"markdown", "title", "model_profile_id", "prompt_template_id", "prompt_params_ref"}
    if not isinstance(content, dict) or not isinstance(content.get("markdown"), str):
        raise ValueError("markdown is missing")
    if unknown := sorted(set(content) - known):
        raise ValueError(f"unknown fields {', '.join(unknown)}")
    if any(value is not None and not isinstance(value, str) for value in content.values()):
        raise ValueError("every field is a string")
    if not content["markdown"].strip() or len(content["markdown"].encode()) > 2**20:
        raise ValueError("markdown is empty or over 1 MiB")
    return content


CHECKS = {
    "transcript": lambda content: transcript_to_json(transcript_from_json(content)),
    "draft": check_draft,
}


def keep_inline(job: Job, content: dict[str, Any]) -> str:
    return storage().save_bytes(kept_folder(job.pk), rfc8785.dumps(content), suffix=".json").uri


def other_artifacts(job: Job, updates: dict[str, Any]) -> dict[str, NewArtifact]:
    """What needs no look inside: the sound, exports, metrics, and keys that we do not know."""
    made = {}
    for key, value in updates.items():
        if key in ("audio_uri", "export_uri"):
            if value != job.manifest.get(key):
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


def store_segments(job: Job, content: dict[str, Any]) -> None:
    """The newest transcript's segments in place of those before."""
    job.segments.all().delete()
    TranscriptSegment.objects.bulk_create(
        (
            TranscriptSegment(job=job, position=position, **segment)
            for position, segment in enumerate(content["segments"])
        ),
        batch_size=1000,
    )
