"""GENERATING, the stage of the local pipeline that belongs to this app: a draft from the transcript and the screen."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from config.storage import kept_folder, read_bytes, storage
from config.work.lease import Lease
from config.work.models import WorkFailed
from instructions.complexity import DocumentTooComplex
from instructions.language_models import Draft, LanguageModel, LanguageModelError
from instructions.language_models.extractive import Extractive
from instructions.language_models.fitting import require_fit
from instructions.language_models.registry import get_model
from instructions.services.model_calls import JobCalls, record_draft
from jobs.artifact_updates import DRAFT_FIELDS
from jobs.media.transcripts import transcript_from_json
from jobs.models import Dispatch, Job
from jobs.services.artifacts import MAX_CONTENT_BYTES
from jobs.services.screens import read_stored_screen
from jobs.services.videos import require_artifact


def generate_stage(job: Job, lease: Lease) -> dict[str, Any]:
    transcript = transcript_from_json(
        json.loads(read_bytes(require_artifact(job, "transcript").uri, limit=MAX_CONTENT_BYTES))
    )
    screen = read_stored_screen(job)
    lease.check()
    calls = JobCalls(job.pk, lease)
    try:
        model: LanguageModel = get_model(
            _chosen_profile(job), prompt_template_id=job.options.get("prompt_template_id", ""), calls=calls
        )
        language = transcript.language
        if not transcript.segments:  # then what the screen shows is told by rules, which need no model
            model, language = Extractive(), job.options.get("language") or language
        draft = model.draft(
            transcript.segments, title=job.options.get("title"), language=language, screen=screen.events
        )
        require_fit(draft)
    except LanguageModelError as error:
        raise WorkFailed(error.code, error.message) from error
    except DocumentTooComplex as error:
        raise WorkFailed("DOCUMENT_TOO_COMPLEX", str(error)) from error
    stored = storage().save_bytes(kept_folder(job.pk), _encoded(draft), suffix=".json")
    if draft.counts:
        record_draft(job, draft, lease)
    return {"draft_uri": stored.uri}


def _chosen_profile(job: Job) -> str:
    """Return the model profile of the retry that this is, else of the job's options, "" for the default."""
    is_retry = job.dispatch is not None and job.dispatch.kind == Dispatch.Kind.RETRY
    chosen = job.dispatch.model_profile if job.dispatch and is_retry else job.options.get("model_profile")
    return chosen or ""


def _encoded(draft: Draft) -> bytes:
    content = {
        "markdown": draft.markdown,
        "title": draft.title[: DRAFT_FIELDS["title"]],
        "model_profile_id": draft.model_profile_id,
        "prompt_template_id": draft.prompt_template_id,
        "steps": [asdict(step) for step in draft.steps],
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True).encode()
