"""What a draft says of its steps: matched to headings in order, and stored as what the steps rest on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructions import drafted_steps
from instructions.blocks import parse_blocks
from instructions.drafted_steps import drafted_evidence
from instructions.evidence import Evidence, EvidenceKind, Frame
from instructions.models import Instruction, StepSource
from jobs import hooks
from jobs.artifact_updates import check_draft
from jobs.models import Job
from jobs.states import JobStatus
from tests.callbacks import send
from tests.factories import TRANSCRIPT, Api, make_job, report
from tests.instructions.markers import marked

SPOKEN = [(0, 2000), (2500, 4000), (3500, 9000), (5000, 5000), (6000, 7000)]
MARKDOWN = (
    "# Guide\n\n## Step 1: Click *New* (0:00–0:02)\n\nClick.\n\n## Step 2: Wait\n\nWait.\n\n"
    "## Step 3: Click New\n\nClick again.\n\n## Not a step\n\n## Step 4: Save (0:06)\n\nSave.\n"
)


def step(heading: str, start_ms: int = 100, end_ms: int = 900, **more: Any) -> dict[str, Any]:
    return {"heading": heading, "start_ms": start_ms, "end_ms": end_ms, **more}


def read(*entries: dict[str, Any], markdown: str = MARKDOWN, spoken: Any = SPOKEN) -> list[Evidence]:
    """What is read of a draft, in the order of its steps."""
    return list(drafted_evidence(parse_blocks(marked(markdown)), entries, lambda: spoken).values())


def said(start_ms: int | None, end_ms: int | None, *segments: int) -> Evidence:
    return Evidence(EvidenceKind.SAID, start_ms, end_ms, segments)


def test_steps_without_an_entry_have_the_times_of_their_headings() -> None:
    assert read() == [said(0, 2000, 0), said(None, None), said(None, None), said(6000, None, 2, 4)]


def test_an_entry_counts_before_the_times_of_the_heading() -> None:
    assert read(step("Save", 2600, 5001))[3] == said(2600, 5001, 1, 2, 3)
    assert read(step("Save", 0, 1, segments=[4, 1, 4], needs_review=True))[3] == Evidence(
        EvidenceKind.SAID, 0, 1, (1, 4), needs_review=True
    )
    assert read(step("Save", 0, 9000, segments=[]))[3] == said(0, 9000), "it rests on nothing, and says so"


@pytest.mark.parametrize(
    "heading", ["Wait", " wait ", "WAIT", "Step 2: Wait", "7. Wait (0:05–0:08)", "Wait (0:05)", "**Wait**"]
)
def test_headings_are_matched_without_number_times_case_and_marks(heading: str) -> None:
    assert read(step(heading, 2500, 3000))[1] == said(2500, 3000, 1)


def test_entries_are_matched_in_order() -> None:
    first, _, again, _ = read(step("Click New", 1, 2), step("Click New", 3, 4))
    assert (first.start_ms, again.start_ms) == (1, 3)
    assert read(step("Wait"), step("Click New", 3, 4))[2].start_ms == 3


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        ([step("Wait"), step("Print")], "steps.1.heading"),
        ([step("Not a step")], "steps.0.heading"),
        ([step("Guide")], "steps.0.heading"),
        ([step("Save"), step("Wait")], "steps.1.heading"),
        ([step("Wait"), step("Wait")], "steps.1.heading"),
        ([step("Wait"), step("Save", segments=[0, 5])], "steps.1.segments.1"),
    ],
)
def test_what_the_text_or_the_transcript_has_not_is_named(entries: list[Any], field: str) -> None:
    with pytest.raises(drafted_steps.UpdateInvalid) as refused:
        read(*entries)
    assert refused.value.field == field


def test_what_is_said_counts_before_what_is_shown() -> None:
    frames = [{"pts": 90, "frame_sha256": "b" * 64}, *[{"pts": 30, "frame_sha256": "a" * 64}] * 2]
    kept = (Frame(30, "a" * 64), Frame(90, "b" * 64))
    shown = read(step("Wait", segments=[], frames=frames))[1]
    assert shown == Evidence(EvidenceKind.SHOWN, 100, 900, (), kept)
    assert read(step("Wait", segments=[1], frames=frames))[1] == replace(
        shown, kind=EvidenceKind.SAID, segments=(1,)
    )
    assert read(step("Wait", frames=frames), spoken=[])[1] == shown, "nothing is said at its time"
    assert read(step("Wait", segments=[], frames=[]))[1].kind == EvidenceKind.SAID


def test_the_transcript_is_read_only_for_steps_with_a_time() -> None:
    def refuse() -> Any:
        raise AssertionError("it was read")

    blocks = parse_blocks(marked("## Step 1: Wait\n"))
    assert list(drafted_evidence(blocks, [], refuse).values()) == [said(None, None)]
    named = drafted_evidence(blocks, [step("Wait", segments=[])], refuse)
    assert list(named.values()) == [said(100, 900)]


@pytest.mark.parametrize(("entries", "field"), [([step("Save")], "steps"), ([], "markdown")])
def test_steps_rest_on_a_limited_number_of_segments(
    entries: list[Any], field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafted_steps, "MAX_DRAFT_SEGMENTS", 2)
    with pytest.raises(drafted_steps.UpdateInvalid) as refused:
        read(*entries, spoken=[(0, 9000), (0, 9000)])
    assert refused.value.field == field


TIMES = st.tuples(st.integers(0, 20), st.integers(0, 8)).map(lambda pair: (pair[0], sum(pair)))


@given(st.lists(TIMES).map(sorted), st.lists(TIMES, min_size=1, max_size=6))
def test_segments_that_overlap_are_those_that_are_counted_one_by_one(
    spoken: list[tuple[int, int]], spans: list[tuple[int, int]]
) -> None:
    markdown = "".join(f"## Step {number}: {number}\n\n" for number in range(1, len(spans) + 1))
    entries = [step(str(number), *span) for number, span in enumerate(spans, 1)]
    for evidence, (start_ms, end_ms) in zip(
        read(*entries, markdown=markdown, spoken=spoken), spans, strict=True
    ):
        span = range(start_ms, max(end_ms, start_ms + 1))
        assert list(evidence.segments) == [
            at for at, (begin, end) in enumerate(spoken) if set(span) & set(range(begin, max(end, begin + 1)))
        ]


# Over the callback

DRAFT = {"markdown": "# Guide\n\n## Step 1: Click New\n\nClick.\n\n## Step 2: Type\n\nType.\n"}
FRAME = {"pts": 90_000, "frame_sha256": "a" * 64}


def drafted(job: Job) -> list[dict[str, Any]]:
    rows = StepSource.objects.filter(instruction__job=job).order_by("start_ms")
    return list(rows.values("version", "kind", "start_ms", "end_ms", "segments", "needs_review"))


@pytest.mark.parametrize("is_inline", [True, False])
def test_steps_of_a_draft_are_stored_beside_its_text(owner: Api, is_inline: bool) -> None:
    job = make_job(JobStatus.GENERATING, owner=owner.user)
    steps = [step("Click New", 10, 2100), step("Type", 2500, 4000, segments=[0], needs_review=True)]
    updates = {"draft": {**DRAFT, "steps": steps}}
    early = {} if is_inline else updates
    assert send(job, "GENERATING", artifact_updates=early).status_code == 204
    assert send(job, "DRAFT_READY", artifact_updates=updates if is_inline else {}).status_code == 204
    row = {"version": 1, "kind": "said"}
    assert drafted(job) == [
        {**row, "start_ms": 10, "end_ms": 2100, "segments": [0], "needs_review": False},
        {**row, "start_ms": 2500, "end_ms": 4000, "segments": [0], "needs_review": True},
    ]
    document = owner.get(f"/instructions/{Job.objects.get(pk=job.pk).instruction_id}").json()
    shown = [block for block in document["blocks"] if block["kind"] == "step"]
    assert [(block["start_ms"], block["end_ms"]) for block in shown] == [(10, 2100), (2500, 4000)]


def test_frames_of_a_step_are_stored_and_shown(owner: Api) -> None:
    job = make_job(JobStatus.GENERATING, owner=owner.user)
    shown = [step("Click New", segments=[], frames=[FRAME]), step("Type", segments=[0], frames=[FRAME])]
    updates = {"draft": {**DRAFT, "steps": shown}}
    assert send(job, "DRAFT_READY", artifact_updates=updates).status_code == 204
    steps = owner.get(f"/instructions/{Job.objects.get(pk=job.pk).instruction_id}/steps").json()
    evidence = [each["evidence"] for each in steps]
    assert [(each["kind"], each["segments"], each["frames"]) for each in evidence] == [
        ("shown", [], [FRAME]),
        ("said", [0], [FRAME]),
    ]


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ({}, "steps"),
        ([1], "steps.0"),
        ([step("Type", odd=1)], "steps.0"),
        ([{"start_ms": 0, "end_ms": 1}], "steps.0.heading"),
        ([step("x" * 1001)], "steps.0.heading"),
        ([step("Type"), step("Type", start_ms=-1)], "steps.1.start_ms"),
        ([step("Type", start_ms=True)], "steps.0.start_ms"),
        ([step("Type", end_ms=24 * 60 * 60 * 1000 + 1)], "steps.0.end_ms"),
        ([step("Type", 500, 499)], "steps.0.end_ms"),
        ([step("Type", segments=None)], "steps.0.segments"),
        ([step("Type", segments=[0, "1"])], "steps.0.segments.1"),
        ([step("Type", segments=[100_000])], "steps.0.segments.0"),
        ([step("Type", segments=[0] * 200_001)], "steps"),
        ([step("Type", needs_review=1)], "steps.0.needs_review"),
        ([step("Type", frames=None)], "steps.0.frames"),
        ([step("Type", frames={})], "steps.0.frames"),
        ([step("Type", frames=[FRAME] * 101)], "steps.0.frames"),
        ([step("Type", frames=[FRAME, 1])], "steps.0.frames.1"),
        ([step("Type", frames=[{"pts": 1}])], "steps.0.frames.0"),
        ([step("Type", frames=[{**FRAME, "odd": 1}])], "steps.0.frames.0"),
        ([step("Type", frames=[{**FRAME, "pts": True}])], "steps.0.frames.0.pts"),
        ([step("Type", frames=[{**FRAME, "pts": 1.0}])], "steps.0.frames.0.pts"),
        ([step("Type", frames=[{**FRAME, "frame_sha256": None}])], "steps.0.frames.0.frame_sha256"),
        ([step("Type", frames=[{**FRAME, "frame_sha256": "A" * 64}])], "steps.0.frames.0.frame_sha256"),
        ([step("Type", frames=[{**FRAME, "frame_sha256": "a" * 65}])], "steps.0.frames.0.frame_sha256"),
        ([step("Type")] * 5001, "steps"),
        ([step("Type"), step("Click New")], "steps.1.heading"),
        ([step("Type", segments=[0, 1, 2])], "steps.0.segments.2"),
    ],
)
def test_a_step_that_is_wrong_is_400_and_nothing_is_written(owner: Api, steps: Any, field: str) -> None:
    job = make_job(JobStatus.GENERATING, owner=owner.user)
    before = job.artifacts.count(), job.callback_events.count()
    answer = send(job, "DRAFT_READY", artifact_updates={"draft": {**DRAFT, "steps": steps}})
    (error,) = answer.json()["details"]["errors"]
    assert (answer.status_code, error["field"]) == (400, f"artifact_updates.draft.{field}")
    assert (job.artifacts.count(), job.callback_events.count()) == before
    assert not Instruction.objects.exists() and not StepSource.objects.exists()
    assert Job.objects.get(pk=job.pk).status == JobStatus.GENERATING


@pytest.mark.parametrize("pts", [2**53 + 1, -(2**53) - 1])
def test_a_frame_of_a_file_has_a_time_that_json_can_hold(pts: int) -> None:
    """A callback's body holds no such number; the file that a URI names may."""
    with pytest.raises(drafted_steps.UpdateInvalid) as refused:
        check_draft({**DRAFT, "steps": [step("Type", frames=[{**FRAME, "pts": pts}])]})
    assert refused.value.field == "steps.0.frames.0.pts"


def test_what_an_early_draft_has_wrong_is_named_by_its_file(db: None) -> None:
    job = make_job(JobStatus.GENERATING)
    early = {"draft": {**DRAFT, "steps": [step("Print")]}}
    assert send(job, "GENERATING", artifact_updates=early).status_code == 204
    answer = send(job, "DRAFT_READY")
    (error,) = answer.json()["details"]["errors"]
    assert (answer.status_code, error["field"]) == (400, "artifact_updates.draft_uri.steps.0.heading")


@pytest.mark.parametrize("is_early", [True, False])
def test_a_draft_rests_on_the_transcript_that_comes_with_it(db: None, is_early: bool) -> None:
    job = make_job(JobStatus.GENERATING)
    segments = [{"start_ms": at, "end_ms": at + 9, "text": "a"} for at in range(0, 90, 10)]
    draft, transcript = {"draft": {**DRAFT, "steps": [step("Type", 40, 60)]}}, {"segments": segments}
    if is_early:
        assert send(job, "GENERATING", artifact_updates=draft).status_code == 204
    updates = {"transcript": transcript, **({} if is_early else draft)}
    assert send(job, "DRAFT_READY", artifact_updates=updates).status_code == 204
    assert [row["segments"] for row in drafted(job) if row["start_ms"] == 40] == [[4, 5]]


@pytest.mark.django_db(transaction=True)
def test_a_transcript_that_changes_meanwhile_refuses_the_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job(JobStatus.GENERATING)
    read_draft, shorter = hooks.INGEST["draft"], {"segments": TRANSCRIPT["segments"][:1]}

    def overtaken(content: Any, spoken: Any) -> Any:
        store = read_draft(content, spoken)
        monkeypatch.setitem(hooks.INGEST, "draft", read_draft)
        report(job, JobStatus.GENERATING, transcript=shorter)
        return store

    monkeypatch.setitem(hooks.INGEST, "draft", overtaken)
    updates = {"draft": {**DRAFT, "steps": [step("Type", 2500, 3000, segments=[1])]}}
    soon = {"occurred_at": (datetime.now(UTC) + timedelta(minutes=1)).isoformat()}  # after the transcript's
    late = send(job, "DRAFT_READY", artifact_updates=updates, **soon)
    assert (late.status_code, late.headers["Retry-After"]) == (503, "5")
    assert not Instruction.objects.exists()
    again = send(job, "DRAFT_READY", artifact_updates=updates, **soon)
    (error,) = again.json()["details"]["errors"]
    assert (again.status_code, error["field"]) == (400, "artifact_updates.draft.steps.0.segments.0")
