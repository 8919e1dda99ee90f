"""The draft comes in: the document of a job, or its next version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from instructions import hooks
from instructions.drafted_steps import drafted_evidence
from instructions.models import Instruction
from instructions.services.versions import PROVENANCE, Source, add_version, prepare_text
from jobs.hooks import Spoken
from jobs.models import Job


def prepare_draft(content: dict[str, Any], spoken: Spoken) -> Callable[[Job], None]:
    """Return what makes the document of a job from a draft, or its next version; registered as *ingest*.

    Raises UpdateInvalid for steps that the text does not have, or that rest on segments that are not there.
    """
    text = prepare_text(content["markdown"])
    evidence = drafted_evidence(text.blocks, content.get("steps", []), spoken)

    def store(job: Job) -> None:
        instruction, _ = Instruction.objects.get_or_create(job=job)
        job.instruction_id = instruction.pk
        provenance = {name: content.get(name) or "" for name in PROVENANCE}
        add_version(
            instruction,
            text=text,
            evidence=evidence,
            source=Source.DRAFT,
            created_by="system",
            **provenance,
        )
        for drafted in hooks.DRAFTED:
            drafted(job)

    return store
