"""What a caller gets from a child: results, exceptions, progress, and the end of one that misbehaves."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from config import sandbox
from config.sandbox import process
from config.sandbox.errors import ChildFailed
from config.sandbox.pool import MAX_CALLS, pool
from config.sandbox.wire import MAX_BESIDE_BYTES, AnswerReader, write_answer
from tests import sandbox_engines as engines
from tests.races import at_once

MIB = 2**20
LIMITS = sandbox.Limits(memory_bytes=512 * MIB, cpu_seconds=1, wall_seconds=60, file_bytes=MIB)


@pytest.fixture(autouse=True)
def no_child_before() -> Iterator[None]:
    pool().clear()
    yield
    pool().clear()


def call(function: Any, *args: Any, **changed: Any) -> Any:
    return sandbox.call(function, *args, **{"limits": LIMITS, "returns": (engines.Facts,), **changed})


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**70),
        1.5,
        "e\u0301 \U0001f600 \x00",
        b"\x00\xff" * 100_000,
        [1, [2, ()]],
        (b"a", "b", (b"c",)),
        {"bytes": 3, "tuple": [b"x"], "class": {"of": None}},
        engines.Facts(1, (2, 3)),
    ],
)
def test_values_come_back_as_they_are(value: Any) -> None:
    back = call(engines.echo, value)
    assert back == value
    assert type(back) is type(value)


def test_a_large_argument_and_a_large_result_pass() -> None:
    value = os.urandom(40 * MIB)
    assert call(engines.echo, value) == value


def test_a_hundred_calls_in_a_row_use_one_child() -> None:
    facts = [call(engines.facts, number) for number in range(100)]
    assert {fact.pid for fact in facts} == {facts[0].pid}
    assert facts[-1].calls == tuple(range(100)), "it keeps what it has loaded"
    assert pool().idle_pids() == [facts[0].pid]


def test_a_child_is_replaced_after_many_calls() -> None:
    pids = {call(engines.facts).pid for _ in range(MAX_CALLS + 1)}
    assert len(pids) == 2
    assert len(pids & set(psutil.pids())) == 1


def test_a_child_that_has_died_idle_is_replaced_unnoticed() -> None:
    first = call(engines.facts).pid
    psutil.Process(first).kill()
    psutil.Process(first).wait(5)
    assert call(engines.facts).pid != first


@pytest.mark.parametrize(
    "looks", [lambda: call(os.path.basename, "a/b"), lambda: pool().reap()], ids=["call", "reaper"]
)
def test_a_child_that_has_died_idle_is_kept_no_longer(looks: Any) -> None:
    """Although nobody asks for its module again."""
    first = call(engines.facts).pid
    process = psutil.Process(first)
    process.kill()
    process.wait(5)
    assert pool().idle_pids() == [first]
    looks()
    assert first not in pool().idle_pids()


def test_idle_children_are_few() -> None:
    at_once(4, lambda _: call(engines.sleep, 0.3))
    assert call(os.path.basename, "a/b") == "b"  # another module, for which a child of its own is started
    assert len(pool().idle_pids()) == 4


def test_no_more_children_work_at_once_than_allowed() -> None:
    begun = time.monotonic()
    at_once(5, lambda _: call(engines.sleep, 0.5))
    assert time.monotonic() - begun > 0.95


def test_who_waits_for_a_place_can_be_cancelled() -> None:
    def cancelled() -> None:
        raise InterruptedError

    def one(index: int) -> None:
        if index < 4:
            call(engines.sleep, 1.5)
            return
        time.sleep(0.3)
        begun = time.monotonic()
        with pytest.raises(InterruptedError):
            call(engines.sleep, 0, check=cancelled)
        assert time.monotonic() - begun < 1

    at_once(5, one)


def test_an_exception_that_is_named_is_raised_as_it_was() -> None:
    first = call(engines.facts).pid
    with pytest.raises(engines.Refused, match="^It is not so.$") as caught:
        call(engines.refuse, raises=(engines.Refused,))
    assert (caught.value.code, caught.value.message) == ("NOT_SO", "It is not so.")
    assert call(engines.facts).pid == first, "an engine that refuses has done well"


def test_a_class_above_it_may_be_named() -> None:
    with pytest.raises(ValueError, match="^It is not so.$"):
        call(engines.refuse, raises=(ValueError,))


def test_an_exception_that_is_not_named_says_which_and_where() -> None:
    first = call(engines.facts).pid
    with pytest.raises(ChildFailed, match="KeyError[\\s\\S]*in break_down"):
        call(engines.break_down)
    assert call(engines.facts).pid != first


def test_an_error_of_the_system_keeps_its_number(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        call(engines.write_file, str(tmp_path / "missing" / "file"), 1)


@pytest.mark.parametrize(
    ("engine", "place"), [("read_badly", "in read_badly"), ("crash_reading", "in crash_reading")]
)
def test_what_a_file_says_does_not_come_into_the_log(
    engine: str, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises((ChildFailed, sandbox.SandboxError)) as caught:
        call(getattr(engines, engine), "Mrs Miller's PIN is 4711")
    told = f"{caught.value} {caplog.text}"
    assert place in told and "4711" not in told, told


def test_an_error_of_the_system_says_nothing_of_a_file() -> None:
    """As those of the codecs, whose words may quote what they read."""
    with pytest.raises(FileNotFoundError) as caught:
        call(engines.miss_file, "Mrs Miller's PIN is 4711")
    assert "4711" not in str(caught.value)


def test_progress_is_reported_in_the_caller() -> None:
    shares: list[float] = []
    assert call(engines.report, [0.0, 0.25, 1.0], on_progress=shares.append) == "done"
    assert shares == [0.0, 0.25, 1.0]


ENDS = [
    (engines.loop, (), "MEDIA_TOO_COMPLEX"),
    (engines.loop_in_native_code, (), "MEDIA_TOO_COMPLEX"),
    (engines.eat_memory, (), "OUT_OF_MEMORY"),
    (engines.eat_memory_in_native_code, (), "OUT_OF_MEMORY"),
    (engines.eat_memory_in_rust, (), "OUT_OF_MEMORY"),
    (engines.call_it_damaged, (), "OUT_OF_MEMORY"),
    (engines.abort, (), "WORKER_CRASHED"),
    (engines.leave, (0,), "WORKER_CRASHED"),
    (engines.leave, (3,), "WORKER_CRASHED"),
    (engines.segfault, (), "WORKER_CRASHED"),
    (engines.forbidden, (), "WORKER_CRASHED"),
    (engines.close_everything, (), "WORKER_CRASHED"),
]


@pytest.mark.parametrize(("engine", "args", "code"), ENDS)
def test_an_engine_that_misbehaves_ends_alone(engine: Any, args: tuple[Any, ...], code: str) -> None:
    children = set(psutil.Process().children(recursive=True))
    begun = time.monotonic()
    with pytest.raises(sandbox.SandboxError) as caught:
        call(engine, *args, raises=(engines.Refused,))
    assert (caught.value.code, caught.value.may_pass) == (code, False)
    assert time.monotonic() - begun < LIMITS.wall_seconds / 2
    assert pool().idle_pids() == []
    assert set(psutil.Process().children(recursive=True)) == children
    assert call(engines.echo, 1) == 1


def test_a_child_that_only_waits_is_ended_and_may_be_tried_again() -> None:
    begun = time.monotonic()
    with pytest.raises(sandbox.SandboxError) as caught:
        call(
            engines.sleep, 60, limits=sandbox.Limits(memory_bytes=512 * MIB, cpu_seconds=1, wall_seconds=0.5)
        )
    assert (caught.value.code, caught.value.may_pass) == ("MEDIA_TOO_COMPLEX", True)
    assert time.monotonic() - begun < 5


def test_a_child_that_works_for_all_of_its_time_is_too_complex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "WORKING_SHARE", 0.02)  # the machine of the tests may be busy
    within = sandbox.Limits(memory_bytes=512 * MIB, cpu_seconds=60, wall_seconds=2)
    with pytest.raises(sandbox.SandboxError) as caught:
        call(engines.loop, limits=within)
    assert (caught.value.code, caught.value.may_pass) == ("MEDIA_TOO_COMPLEX", False)


def test_a_child_that_the_system_killed_may_be_tried_again() -> None:
    with pytest.raises(sandbox.SandboxError) as caught:
        call(engines.be_killed)
    assert (caught.value.code, caught.value.may_pass) == ("WORKER_CRASHED", True)


def test_a_file_that_is_too_large_is_not_written(tmp_path: Path) -> None:
    call(engines.write_file, str(tmp_path / "file"), MIB)
    with pytest.raises(sandbox.SandboxError) as caught:
        call(engines.write_file, str(tmp_path / "file"), MIB + 1)
    assert caught.value.code == "MEDIA_TOO_COMPLEX"


def test_the_processor_time_is_that_of_the_call() -> None:
    """In a child that has used more than one call may take."""
    spent = [call(engines.spend, 0.6) for _ in range(4)]
    assert len({fact.pid for fact in spent}) == 1


def test_what_an_engine_prints_is_not_an_answer() -> None:
    assert call(engines.flood, 20) == "done"


FORGED = {
    "too long": b"\xff" * 12,
    "no JSON": b"\x00\x00\x00\x02" + b"\x00" * 8 + b"}{",
    "unknown": b'\x00\x00\x00\x0e\x00\x00\x00\x00\x00\x00\x00\x00{"kind":"odd"}',
    "no value": b'\x00\x00\x00\x13\x00\x00\x00\x00\x00\x00\x00\x00{"kind":"returned"}',
    "deep": b"\x00\x01\x86\xa0\x00\x00\x00\x00\x00\x00\x00\x00" + b"[" * 100_000,
}


@pytest.mark.parametrize("answer", FORGED.values(), ids=FORGED.keys())
def test_a_forged_answer_is_a_crash(answer: bytes) -> None:
    with pytest.raises(sandbox.SandboxError) as caught:
        call(engines.forge, answer)
    assert caught.value.code == "WORKER_CRASHED"
    assert "forged" in str(caught.value)


def test_no_answer_has_more_bytes_than_any_picture_or_document() -> None:
    """The limit of the child's memory, which is larger for speech, is none of its parent's."""
    begun = time.monotonic()
    with pytest.raises(sandbox.SandboxError, match="forged answer"):
        call(engines.forge, struct.pack(">IQ", 2, MAX_BESIDE_BYTES + 1), limits=sandbox.limits.SPEECH)
    assert time.monotonic() - begun < 30


def test_bytes_in_several_fields_of_an_answer_come_back_in_order() -> None:
    facts = {"classes": [], "errno": None, "text": "", "trace": "", "is_large": False}
    pieces = write_answer("raised", **facts, args=(b"one", b"two"), attributes={"third": b"three"})
    reader = AnswerReader([], max_bytes=100)
    for piece in pieces:
        reader.feed(piece)
    answer = reader.next()
    assert answer and (answer["args"], answer["attributes"]) == ((b"one", b"two"), {"third": b"three"})


def test_a_child_that_closes_its_errors_keeps_its_parent_no_busier() -> None:
    looks: list[int] = []
    call(engines.be_silent, 1.0, check=lambda: looks.append(1))
    assert len(looks) < 50


@pytest.mark.parametrize(
    "engine",
    [engines.loop, engines.loop_in_native_code, engines.spawn_and_loop],
    ids=lambda engine: engine.__name__,
)
def test_whoever_gives_up_kills_the_child(engine: Any) -> None:
    """And whatever that has started."""
    begun = time.monotonic()
    before = set(psutil.Process().children(recursive=True))
    seen: set[psutil.Process] = set()

    def check() -> None:
        seen.update(set(psutil.Process().children(recursive=True)) - before)
        if time.monotonic() > begun + 1.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        call(engine, check=check, limits=sandbox.limits.SOUND)
    assert time.monotonic() - begun < 4
    assert len(seen) == (2 if engine is engines.spawn_and_loop else 1)
    assert not psutil.wait_procs(seen, timeout=2)[1]


def test_a_report_of_progress_that_raises_kills_the_child() -> None:
    def cancelled(share: float) -> None:
        raise InterruptedError(share)

    with pytest.raises(InterruptedError, match="0.5"):
        call(engines.report_and_loop, on_progress=cancelled, limits=sandbox.limits.SOUND)
    assert pool().idle_pids() == []
