"""GENERATING, the stage of the local pipeline that belongs to this app: a draft from the transcript."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from config.storage import kept_folder, read_bytes, storage
from config.work.lease import Lease
from config.work.models import WorkFailed
from instructions.blocks import read_outline
from instructions.complexity import DocumentTooComplex, check_complexity
from instructions.language_models import LanguageModelError
from instructions.language_models.extractive import Extractive
from instructions.parser import MAX_WORK
from jobs.media.transcripts import transcript_from_json
from jobs.models import Job
from jobs.services.artifacts import MAX_CONTENT_BYTES
from jobs.services.videos import require_artifact


def generate_stage(job: Job, lease: Lease) -> dict[str, Any]:
    transcript = transcript_from_json(
        json.loads(read_bytes(require_artifact(job, "transcript").uri, limit=MAX_CONTENT_BYTES))
    )
    lease.check()
    try:
        draft = Extractive().draft(
            transcript.segments, title=job.options.get("title"), language=transcript.language
        )
        check_complexity(draft.markdown)
        read_outline(draft.markdown, with_text=False, max_work=MAX_WORK)
    except LanguageModelError as error:
        raise WorkFailed(error.code, error.message) from error
    except DocumentTooComplex as error:
        raise WorkFailed("DOCUMENT_TOO_COMPLEX", str(error)) from error
    content = {
        "markdown": draft.markdown,
        "title": draft.title,
        "model_profile_id": draft.model_profile_id,
        "prompt_template_id": draft.prompt_template_id,
        "steps": [asdict(step) for step in draft.steps],
    }
    encoded = json.dumps(content, ensure_ascii=False, sort_keys=True).encode()
    return {"draft_uri": storage().save_bytes(kept_folder(job.pk), encoded, suffix=".json").uri}
