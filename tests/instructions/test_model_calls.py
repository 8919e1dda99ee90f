"""The calls of a language model for a job: its budget, and the answers that are kept."""

from __future__ import annotations

from typing import Any

import pytest

from config.work.lease import Lease, LeaseLost
from instructions.language_models import LanguageModelError
from instructions.language_models.calls import Tokens
from instructions.models import ModelCall
from instructions.services.model_calls import JobCalls, spent_tokens
from jobs.models import Job, PipelineRun
from tests.factories import Api, make_job, make_run

KEY, MOST = "k" * 64, Tokens(60, 40)


@pytest.fixture
def run(db: None, settings: Any) -> PipelineRun:
    settings.LLM_TOKENS_PER_JOB = 250
    return make_run()


@pytest.fixture
def calls(run: PipelineRun) -> JobCalls:
    return JobCalls(run.job_id, Lease(run))


def test_a_call_is_counted_in_full_until_it_ends(calls: JobCalls, run: PipelineRun) -> None:
    call = calls.begin(KEY, MOST)
    assert spent_tokens(run.job_id) == 100
    call.end(Tokens(50, 7), None)
    assert spent_tokens(run.job_id) == 57
    assert calls.answer_to(KEY) is None, "it could not be used"


def test_a_call_that_was_not_done_is_not_counted(calls: JobCalls, run: PipelineRun) -> None:
    calls.begin(KEY, MOST).cancel()
    assert spent_tokens(run.job_id) == 0


def test_no_call_begins_that_could_go_beyond_the_budget(calls: JobCalls, run: PipelineRun) -> None:
    calls.begin(KEY, MOST).end(Tokens(150, 1), None)
    with pytest.raises(LanguageModelError) as raised:
        calls.begin(KEY, MOST)
    assert raised.value.code == "MODEL_BUDGET_EXCEEDED"
    assert spent_tokens(run.job_id) == 151
    calls.begin(KEY, Tokens(60, 39)).end(Tokens(60, 39), None)
    assert spent_tokens(run.job_id) == 250


def test_another_jobs_calls_do_not_count_and_its_answers_are_not_found(calls: JobCalls) -> None:
    other = JobCalls(make_run().job_id, calls.lease)
    other.begin(KEY, Tokens(200, 50)).end(Tokens(200, 50), {"steps": []})
    calls.begin(KEY, Tokens(200, 50))
    assert calls.answer_to(KEY) is None


def test_an_answer_is_found_by_its_key_whoever_asks_next(calls: JobCalls, run: PipelineRun) -> None:
    calls.begin(KEY, MOST).end(Tokens(1, 1), None)
    calls.begin(KEY, MOST).end(Tokens(1, 1), {"title": "Später", "steps": []})
    assert JobCalls(run.job_id, Lease(run)).answer_to(KEY) == {"title": "Später", "steps": []}
    assert calls.answer_to("o" * 64) is None


def test_an_answer_that_is_asked_for_again_replaces_the_old_one(calls: JobCalls, run: PipelineRun) -> None:
    calls.begin(KEY, MOST).end(Tokens(10, 1), {"title": "old"})
    unusable = calls.begin(KEY, MOST)
    unusable.end(Tokens(10, 1), None)
    assert calls.answer_to(KEY) == {"title": "old"}
    calls.begin(KEY, MOST).end(Tokens(20, 2), {"title": "new"})
    assert calls.answer_to(KEY) == {"title": "new"}
    assert spent_tokens(run.job_id) == 44, "both were paid for"


def test_of_two_workers_with_one_answer_the_first_keeps_it_and_both_count(
    calls: JobCalls, run: PipelineRun
) -> None:
    first, second = calls.begin(KEY, MOST), calls.begin(KEY, MOST)
    first.end(Tokens(10, 1), {"title": "first"})
    second.end(Tokens(20, 2), {"title": "second"})
    assert calls.answer_to(KEY) == {"title": "first"}
    assert spent_tokens(run.job_id) == 33


def test_whose_lease_is_lost_asks_no_more(calls: JobCalls) -> None:
    calls.lease._lost.set()
    for act in (calls.check, lambda: calls.report(0.5)):
        with pytest.raises(LeaseLost):
            act()


def test_a_job_goes_with_its_calls(owner: Api) -> None:
    job = make_job(owner=owner.user)
    ModelCall.objects.create(job=job, key=KEY, answer={"steps": []})
    assert owner.post(f"/jobs/{job.pk}/cancel").status_code == 200
    assert owner.call("DELETE", f"/jobs/{job.pk}").status_code == 202
    assert not Job.objects.filter(pk=job.pk).exists() and not ModelCall.objects.exists()
