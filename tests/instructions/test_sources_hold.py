"""Whatever is done to a text, no evidence is lost with it, and none comes from elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from hypothesis import given
from hypothesis import strategies as st

from instructions.block import innermost_steps
from instructions.blocks import parse_blocks
from instructions.evidence import Evidence, EvidenceKind
from instructions.sources import Text, carry_over
from jobs.media.transcripts import Segment

WORDS = st.lists(st.sampled_from(["open", "close", "menu", "name", "save", "list", "the"]), max_size=4).map(
    " ".join
)
SAID = st.lists(WORDS, min_size=9, max_size=9)
EVIDENCE = st.builds(
    lambda kind, times, segments, needs_review: Evidence(
        kind, *sorted(times), tuple(sorted(segments)), needs_review=needs_review
    ),
    st.sampled_from(EvidenceKind),
    st.tuples(st.integers(0, 9000), st.integers(0, 9000)),
    st.sets(st.integers(0, 8)),
    st.booleans(),
)


@st.composite
def blocks(draw: st.DrawFn) -> dict[str, str]:
    """Blocks by id, in the order of a text: headings of steps on two levels, other headings, paragraphs."""
    marks = st.sampled_from(["## Step 1: ", "### 2. ", "", "", "", "## "])
    lines = draw(st.lists(st.tuples(marks, WORDS), min_size=1, max_size=9))
    return {str(uuid.UUID(int=number)): mark + words + " x" for number, (mark, words) in enumerate(lines, 1)}


@st.composite
def changes(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str]]:
    """Blocks before and after a change: some gone, some new, some with other text, in another order."""
    before = draw(blocks())
    kept = draw(st.permutations(list(before)))[: draw(st.integers(0, len(before)))]
    after = {block_id: before[block_id] for block_id in kept}
    for number in range(draw(st.integers(0, 3))):
        after[str(uuid.UUID(int=100 + number))] = "## Step 9: new"
    for block_id in draw(st.sets(st.sampled_from(list(before)))) & set(after):
        after[block_id] += " changed"
    return before, {block_id: after[block_id] for block_id in draw(st.permutations(list(after)))}


def text(lines: dict[str, str]) -> Text:
    markdown = "\n".join(f"<!-- block:{block_id} -->\n{line}\n" for block_id, line in lines.items())
    return Text(markdown, parse_blocks(markdown))


def step_of_each(whole: Text) -> dict[str, str]:
    steps = innermost_steps(whole.blocks)
    return {block.block_id: step.block_id for block, step in zip(whole.blocks, steps, strict=True) if step}


@given(changes(), st.data(), SAID, st.sampled_from(EvidenceKind))
def test_nothing_is_lost_and_nothing_comes_from_elsewhere(
    change: tuple[dict[str, str], dict[str, str]], data: st.DataObject, words: list[str], kind: EvidenceKind
) -> None:
    before, after = map(text, change)
    was, now = step_of_each(before), step_of_each(after)
    evidence = {step: data.draw(EVIDENCE) for step in dict.fromkeys(was.values())}

    def spoken(positions: Collection[int]) -> dict[int, Segment]:
        return {at: Segment(1000 * at, 1000 * at + 1500, words[at]) for at in positions}

    def carried() -> dict[str, Evidence]:
        return carry_over(before, evidence, after, spoken=spoken, kind=kind, given={})

    found = carried()
    assert found == carried()
    assert set(found) == set(now.values())
    sources: dict[str, list[Evidence]] = {step: [] for step in found}
    for former, whole in evidence.items():
        places = {now[block] for block, step in was.items() if step == former and block in now}
        for place in places:
            sources[place].append(whole)
        kept = {at for place in places for at in found[place].segments}
        assert not places or set(whole.segments) <= kept
        if places:
            assert min(found[place].start_ms or 0 for place in places) <= (whole.start_ms or 0)
            assert max(found[place].end_ms or 0 for place in places) >= (whole.end_ms or 0)
    for step, carried_here in found.items():
        wholes = sources[step]
        assert set(carried_here.segments) <= {at for whole in wholes for at in whole.segments}
        if not wholes:
            assert carried_here == Evidence(kind)
            continue
        assert carried_here.start_ms is not None and carried_here.end_ms is not None
        assert min(whole.start_ms or 0 for whole in wholes) <= carried_here.start_ms <= carried_here.end_ms
        assert carried_here.end_ms <= max(whole.end_ms or 0 for whole in wholes)


@given(blocks(), st.data())
def test_a_text_that_stays_keeps_what_it_rests_on(lines: dict[str, str], data: st.DataObject) -> None:
    whole = text(lines)
    evidence = {step: data.draw(EVIDENCE) for step in dict.fromkeys(step_of_each(whole).values())}
    same = carry_over(whole, evidence, whole, spoken=lambda _: {}, kind=EvidenceKind.EDITED, given={})
    assert same == evidence
