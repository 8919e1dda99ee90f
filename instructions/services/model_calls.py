"""The calls of language models for a job: counted against its budget of tokens, their answers kept."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Sum

from config.work.lease import Lease
from instructions.language_models import Draft, LanguageModelError
from instructions.language_models.calls import Tokens
from instructions.models import ModelCall
from jobs.models import Job
from jobs.services.audit import by_system, record_event
from jobs.services.transitions import lock_job


class JobCalls:
    """The `Calls` of a job's work, which holds a lease. What is kept outlives the work: the next attempt finds it.

    A call is a row from before it is made, with the most that it may take; whoever is killed in between has spent that.
    """

    def __init__(self, job_id: UUID, lease: Lease) -> None:
        self.job_id, self.lease, self.work = job_id, lease, str(lease.row.pk)

    def check(self) -> None:
        self.lease.check()

    def report(self, share: float) -> None:
        self.lease.report(share)

    def answer_to(self, key: str) -> Any | None:
        kept = ModelCall.objects.filter(job_id=self.job_id, key=key, answer__isnull=False)
        return kept.values_list("answer", flat=True).first()

    def require(self, tokens: int) -> None:
        if spent_tokens(self.job_id) + tokens > settings.LLM_TOKENS_PER_JOB:
            raise LanguageModelError(
                "MODEL_BUDGET_EXCEEDED",
                "This job may not ask so much of the language model. Choose the model profile extractive.",
            )

    def begin(self, key: str, most: Tokens) -> JobCall:
        self.require(most.prompt + most.completion)
        row = ModelCall.objects.create(
            job_id=self.job_id, key=key, prompt_tokens=most.prompt, completion_tokens=most.completion
        )
        return JobCall(row)


class JobCall:
    """A call that has begun, and its row."""

    def __init__(self, row: ModelCall) -> None:
        self._row = ModelCall.objects.filter(pk=row.pk)
        # An answer that is there and yet asked for again is one that the checks take no longer.
        kept = ModelCall.objects.filter(job_id=row.job_id, key=row.key, answer__isnull=False)
        self._outdated = list(kept.values_list("pk", flat=True))

    def end(self, spent: Tokens, answer: Any | None) -> None:
        """Count what it took, and keep the answer in place of one that was there before the call."""
        tokens = {"prompt_tokens": spent.prompt, "completion_tokens": spent.completion}
        try:
            with transaction.atomic():
                if answer is not None and self._outdated:
                    ModelCall.objects.filter(pk__in=self._outdated).update(answer=None)
                self._row.update(**tokens, answer=answer)
        except IntegrityError:  # another worker, which took the work over, has kept its own answer
            self._row.update(**tokens)

    def cancel(self) -> None:
        self._row.delete()


def record_draft(job: Job, draft: Draft, lease: Lease) -> None:
    """Write down which model made the draft of a job, and what of its answers was left out. Raise LeaseLost."""
    made_by = {"model_profile_id": draft.model_profile_id, "prompt_template_id": draft.prompt_template_id}
    data = {**made_by, **draft.counts, "tokens": spent_tokens(job.pk)}
    with lease.hold(before=lambda: lock_job(job.pk)):
        record_event(job, "DRAFT_WRITTEN", by=by_system(lease.row.correlation_id), data=data)


def spent_tokens(job_id: UUID) -> int:
    """Return the tokens of all calls of a job, those that are under way in full."""
    calls = ModelCall.objects.filter(job_id=job_id)
    spent: int | None = calls.aggregate(sum=Sum(F("prompt_tokens") + F("completion_tokens")))["sum"]
    return spent or 0
