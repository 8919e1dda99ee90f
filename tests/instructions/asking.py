"""Asking for a passage to be rewritten, over HTTP, and the models that are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from uuid6 import uuid7

from instructions.language_models import Rewriting, registry
from instructions.language_models.extractive import Extractive
from instructions.models import InstructionVersion, RegenerateTask
from jobs.models import Job
from jobs.states import JobStatus
from tests.factories import Api, force, make_job, work_off

SPOKEN = (
    "# Guide\n\n## Step 1: Click New (0:00–0:02)\n\nSo now we're gonna click on the the New button.\n\n"
    "And um we wait.\n\n## Step 2: Type the name (0:02–0:04)\n\nSo we type the name.\n"
)
WRITTEN = "Click on the New button."


def spoken_job(api: Api, status: JobStatus = JobStatus.EDITING) -> Job:
    """A job whose document has sentences that the rules rewrite, in version 2."""
    job = make_job(JobStatus.EDITING, owner=api.user)
    saved = api.put(f"/instructions/{job.instruction_id}", {"base_version": 1, "markdown": SPOKEN})
    assert saved.status_code == 200
    return Job.objects.get(pk=job.pk) if status == JobStatus.EDITING else force(job, status)


def newest(job: Job) -> InstructionVersion:
    return InstructionVersion.objects.filter(instruction__job=job).latest("version")


def block_id(job: Job, kind: str, number: int = 0) -> str:
    """Return the id of the newest version's first block of a kind, or of a later one."""
    return [block.block_id for block in newest(job).read_blocks() if block.kind == kind][number]


def wanted(job: Job, **changed: Any) -> dict[str, Any]:
    """Return the body of a request for the first paragraph of the newest version."""
    body = {
        "base_version": newest(job).version,
        "selection": {"block_id": block_id(job, "paragraph")},
        "client_request_id": uuid7().hex,
        **changed,
    }
    return {name: value for name, value in body.items() if value is not None}


def regenerate(api: Api, job: Job, **changed: Any) -> Any:
    return api.post(f"/instructions/{job.instruction_id}/regenerate", wanted(job, **changed))


def request_rewriting(api: Api, job: Job, **changed: Any) -> RegenerateTask:
    """Return the task of a request that is accepted."""
    asked = regenerate(api, job, **changed)
    assert asked.status_code == 202, asked.content
    return RegenerateTask.objects.get(pk=asked.json()["id"])


def done(api: Api, task: RegenerateTask | dict[str, Any]) -> dict[str, Any]:
    """Do what waits, and return the task as the API shows it then."""
    work_off()
    found: dict[str, Any] = api.get(f"/tasks/{task['id'] if isinstance(task, dict) else task.pk}").json()
    return found


class Model(Extractive):
    """A language model that answers with what `answer` returns for (text, context)."""

    def __init__(self, answer: Callable[[str, str | None], str]) -> None:
        self.answer = answer

    def rewrite(self, text: str, *, context: str | None) -> Rewriting:
        return Rewriting(self.answer(text, context), "answering", "answering-1")


def answer_with(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str, str | None], str]) -> None:
    """Have a model that stands for those elsewhere answer, whatever the profile."""
    monkeypatch.setattr(registry, "get_model", lambda *_, **__: Model(answer))
