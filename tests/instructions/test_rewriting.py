"""What a task of rewriting does: which model it asks with what, and what becomes of the answer."""

from __future__ import annotations

import pytest

from instructions.language_models import LanguageModelError
from instructions.models import RegenerateTask, StepSource
from jobs.models import Job
from tests.factories import Api
from tests.instructions.asking import (
    WRITTEN,
    answer_with,
    block_id,
    done,
    newest,
    regenerate,
    request_rewriting,
    spoken_job,
)
from tests.jobs.seen import status_of

SECRET = "Mention the violet umbrella."


@pytest.fixture
def job(owner: Api) -> Job:
    return spoken_job(owner)


def test_the_profile_of_the_job_is_used_where_it_is_one_of_ours(owner: Api) -> None:
    for name in ("extractive", "one of an orchestrator elsewhere"):
        job = spoken_job(owner)
        Job.objects.filter(pk=job.pk).update(options={"model_profile": name})
        shown = done(owner, request_rewriting(owner, job))
        assert "model_profile" not in shown["provenance"]
        assert newest(job).model_profile_id == "extractive"


def test_no_model_is_asked_when_the_document_has_moved_on(
    owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answer_with(monkeypatch, lambda text, context: asked.append(text) or text)  # type: ignore[func-returns-value]
    task = request_rewriting(owner, job)
    owner.put(f"/instructions/{job.instruction_id}", {"base_version": 2, "markdown": "# Other\n"})
    failed = done(owner, task)
    assert (failed["failure_code"], failed["failed_stage"], asked) == (
        "BASE_VERSION_MOVED",
        "REGENERATING",
        [],
    )
    assert status_of(job) == "EDITING"


def test_a_profile_that_is_not_installed_here_fails_the_task(owner: Api, job: Job) -> None:
    task = request_rewriting(owner, job)
    RegenerateTask.objects.filter(pk=task.pk).update(model_profile="one of an orchestrator elsewhere")
    assert done(owner, task)["failure_code"] == "MODEL_UNAVAILABLE"
    assert status_of(job) == "EDITING"


def test_the_model_is_given_the_passage_and_the_context_alone(
    owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    answer_with(monkeypatch, lambda *given: asked.append(given) or "Well.")  # type: ignore[func-returns-value]
    done(owner, request_rewriting(owner, job, context=SECRET))
    done(owner, request_rewriting(owner, job, selection={"block_id": block_id(job, "paragraph", 1)}))
    assert asked == [("So now we're gonna click on the the New button.", SECRET), ("And um we wait.", None)]


@pytest.mark.parametrize(
    "words",
    ["", " \n", "# Another title", "```\nopen", "a\0b", "a\ud800", "<!-- open", "x" * 100_000, "a\n\n" * 6000,
     "> " * 80 + "deep", "- a list"],
    ids=lambda words: words[:10].encode("unicode_escape").decode(),
)  # fmt: skip
def test_an_answer_that_would_break_the_document_fails_the_task(
    owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    answer_with(monkeypatch, lambda text, context: words)
    failed = done(owner, request_rewriting(owner, job))
    assert (failed["status"], failed["failure_code"]) == ("FAILED", "MODEL_OUTPUT_INVALID")
    assert failed["failed_stage"] == "REGENERATING" and failed["failure_message"]
    assert "instruction_version" not in failed
    assert (newest(job).version, status_of(job)) == (2, "EDITING")


def test_an_answer_that_makes_the_document_too_large_fails_the_task(
    owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "# Guide\n\nSo we wait.\n\n" + ("x" * 1998 + "\n\n") * 520
    assert owner.put(
        f"/instructions/{job.instruction_id}", {"base_version": 2, "markdown": text}
    ).status_code == 200  # fmt: skip
    answer_with(monkeypatch, lambda text, context: "x" * 50_000)
    assert done(owner, request_rewriting(owner, job))["failure_code"] == "MODEL_OUTPUT_INVALID"


def test_a_model_that_fails_fails_the_task(owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: str, context: str | None) -> str:
        raise LanguageModelError("MODEL_UNAVAILABLE", "The model does not answer.")

    answer_with(monkeypatch, fail)
    task = request_rewriting(owner, job)
    failed = done(owner, task)
    assert (failed["failure_code"], failed["failure_message"]) == (
        "MODEL_UNAVAILABLE",
        "The model does not answer.",
    )
    last = job.events.latest("id")
    assert (last.event_type, last.new_status) == ("JOB_REGENERATE_FINISHED", "EDITING")
    assert last.data == {"task_id": str(task.pk), "failure_code": "MODEL_UNAVAILABLE"}


def test_a_new_block_of_the_answer_gets_an_id_of_its_own(
    owner: Api, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign, rewritten = block_id(job, "step", 1), block_id(job, "paragraph")
    answer_with(monkeypatch, lambda text, context: f"One.\n\n<!-- block:{foreign} -->\nTwo.")
    before = [block.block_id for block in newest(job).read_blocks()]
    done(owner, request_rewriting(owner, job))
    after = [block.block_id for block in newest(job).read_blocks()]
    place = before.index(rewritten) + 1
    assert after[:place] + after[place + 1 :] == before
    assert after[place] not in before


def test_the_owners_words_and_the_passage_stand_in_no_row_but_their_own(
    owner: Api, job: Job, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(text: str, context: str | None) -> str:
        raise RuntimeError

    caplog.set_level("DEBUG")
    asked = regenerate(owner, job, context=SECRET)
    shown = done(owner, asked.json())
    answer_with(monkeypatch, crash)
    failing = request_rewriting(owner, job, context=SECRET)
    done(owner, failing)
    told = [asked.content.decode(), str(shown), str(list(job.events.values())), caplog.text]
    told += [str(list(StepSource.objects.values()))]
    assert "work met an unexpected error" in caplog.text
    for text in (SECRET, "gonna click", WRITTEN):
        assert not [one for one in told if text in one]
