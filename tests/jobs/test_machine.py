"""The API and the callback, driven at random beside a model of the contract: each call answers what it says."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from rest_framework import serializers

from config.api.serializers import _reader
from jobs.api.serializers import RetryBody
from tests.jobs.machine.bench import LIMIT, PROFILES
from tests.jobs.machine.callback_rules import CallbackRules
from tests.jobs.machine.execution_rules import ExecutionRules
from tests.jobs.machine.owner_rules import OwnerRules
from tests.jobs.machine.reading_rules import ReadingRules
from tests.jobs.media.recordings import write_video
from tests.orchestrator import Orchestrator

pytestmark = pytest.mark.slow


class JobsMachine(OwnerRules, ExecutionRules, CallbackRules, ReadingRules):
    """Two projects of one owner with a few jobs, an HTTP orchestrator, and a stranger who sees none of it."""


@pytest.fixture
def no_log() -> Iterator[None]:
    """Pytest would keep every line of a long run."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def machine(
    orchestrator: Orchestrator, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_log: None
) -> Iterator[Callable[[], JobsMachine]]:
    settings.THROTTLE_RATE = None
    settings.ACTIVE_JOBS_PER_OWNER = LIMIT
    monkeypatch.setitem(RetryBody._declared_fields, "model_profile", serializers.ChoiceField(PROFILES))
    _reader.cache_clear()
    video = write_video(tmp_path / "a.mp4", seconds=0.5).read_bytes()
    seen: Counter[str] = Counter()
    make: Any = lambda: JobsMachine(orchestrator, video, seen)  # noqa: E731
    make.seen = seen
    yield make
    _reader.cache_clear()


def drive(machine: Any, *, examples: int, derandomize: bool) -> None:
    """So many examples of up to 50 steps."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            deadline=None,
            database=None,
            derandomize=derandomize,
            phases=[Phase.generate, Phase.shrink],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(600)  # when it fails, the sequence of calls is made short first
@pytest.mark.django_db(transaction=True)
def test_the_api_answers_what_the_model_of_the_contract_says(machine: Any) -> None:
    drive(machine, examples=40, derandomize=True)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.django_db(transaction=True)
def test_the_api_answers_what_the_model_says_for_a_long_time(machine: Any) -> None:
    drive(machine, examples=100, derandomize=False)
