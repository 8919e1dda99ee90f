"""Freeze what exports are made of: read everything that a document consists of, before anything is locked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exports.freeze import ActivePicture, freeze
from exports.look import Look
from exports.services.recording import facts_of_recording
from exports.services.signing import signing_key
from exports.snapshot import Document
from instructions.models import InstructionVersion
from jobs.models import Artifact, Job


def freeze_version(
    job: Job,
    version: InstructionVersion,
    pictures: list[ActivePicture],
    look: Look,
    *,
    videos: Sequence[Artifact],
    steps: Sequence[dict[str, Any]],
) -> Document:
    """Return the document of a version with these pictures; `videos` are those of the job, the oldest first, and
    `steps` what `published_evidence` says of them."""
    return freeze(
        pictures,
        markdown=version.markdown,
        blocks=version.read_blocks(),
        fallback_title=job.options.get("title") or "Guide",
        job_id=str(job.pk),
        instruction_id=str(version.instruction_id),
        instruction_version_id=str(version.pk),
        version=version.version,
        language=job.options.get("language") or "en",
        video_sha256=videos[-1].sha256 if videos else None,
        **facts_of_recording(videos),
        look=look,
        steps=tuple(steps),
        key_id=signing_key().public.key_id,
        provenance={
            "instruction_version_id": str(version.pk),
            "model_profile_id": version.model_profile_id or None,
            "prompt_template_id": version.prompt_template_id or None,
            "prompt_params_ref": version.prompt_params_ref or None,
        },
    )
