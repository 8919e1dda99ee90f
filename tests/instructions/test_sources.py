"""What steps rest on follows their blocks through changes of the text."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from itertools import count

import pytest

from instructions import sources
from instructions.blocks import ensure_markers, parse_blocks
from instructions.evidence import Evidence, EvidenceKind, Frame
from instructions.sources import Text, carry_over
from jobs.media.transcripts import Segment
from tests.instructions.markers import marked

GUIDE = marked(
    "# Guide\n\nWelcome.\n\n## Step 1: Open the menu\n\nOpen the menu at the top.\n\nChoose the settings.\n\n"
    "## Step 2: Type the name\n\nType the name.\n"
)
TITLE, WELCOME, MENU, OPEN, CHOOSE, NAME, TYPE = (str(uuid.UUID(int=number)) for number in range(1, 8))
SAID = {
    0: Segment(900, 2400, "Okay, open the menu at the top."),
    1: Segment(2500, 4100, "And there you choose the settings."),
    2: Segment(4600, 7200, "Type the name."),
}
EVIDENCE = {
    MENU: Evidence(EvidenceKind.SAID, 1000, 4000, (0, 1)),
    NAME: Evidence(EvidenceKind.SAID, 4500, 7250, (2,)),
}


def said(positions: Collection[int]) -> dict[int, Segment]:
    return {position: SAID[position] for position in positions}


def carried(
    after: str,
    *,
    before: str = GUIDE,
    evidence: dict[str, Evidence] = EVIDENCE,
    kind: EvidenceKind = EvidenceKind.EDITED,
    given: dict[str, tuple[int, int]] | None = None,
    merged: dict[str, str] | None = None,
) -> dict[str, Evidence]:
    """What is carried over; markers are completed, with ids from 100 on."""
    numbers = count(100)
    after = ensure_markers(after, lambda: str(uuid.UUID(int=next(numbers))))
    texts = (Text(text, parse_blocks(text)) for text in (before, after))
    return carry_over(
        next(texts), evidence, next(texts), spoken=said, kind=kind, given=given or {}, merged=merged
    )


def new_id(number: int = 0) -> str:
    return str(uuid.UUID(int=100 + number))


def without(text: str, block_id: str, first_line: str) -> str:
    assert f"<!-- block:{block_id} -->\n{first_line}\n" in text
    return text.replace(f"<!-- block:{block_id} -->\n{first_line}\n", "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Step 1: Open the menu", "Step 7: Open the menu"),
        ("Step 1: Open the menu", "3. Open  *the*   menu"),
        ("Open the menu at the top.", "Open the menu\nat the top."),
        ("Open the menu at the top.", "**Open** the `menu` at the top."),
        ("Open the menu at the top.", "open the menu at the top!"),
        ("Welcome.", "Hello."),
        ("# Guide", "# How to"),
        ("", ""),
    ],
)
def test_numbers_white_space_and_marks_are_no_change(old: str, new: str) -> None:
    assert carried(GUIDE.replace(old, new)) == EVIDENCE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Step 1: Open the menu", "Step 1: Go to the menu"),
        ("Choose the settings.", "Choose the new settings."),
        ("Choose the settings.", "Choose the settings.\n\nWait a moment."),
    ],
)
def test_text_that_is_written_gives_its_kind_and_keeps_the_span(old: str, new: str) -> None:
    for kind in (EvidenceKind.EDITED, EvidenceKind.GENERATED):
        found = carried(GUIDE.replace(old, new), kind=kind)
        assert found[MENU] == Evidence(kind, 1000, 4000, (0, 1))
        assert found[NAME] == EVIDENCE[NAME]


def test_steps_that_change_places_take_all_with_them() -> None:
    at = GUIDE.index(f"<!-- block:{MENU}"), GUIDE.index(f"<!-- block:{NAME}")
    swapped = GUIDE[: at[0]] + GUIDE[at[1] :] + "\n" + GUIDE[at[0] : at[1]]
    assert carried(swapped) == EVIDENCE


def test_a_step_without_its_heading_joins_the_one_before_it() -> None:
    joined = carried(without(GUIDE, NAME, "## Step 2: Type the name"))
    assert joined == {MENU: Evidence(EvidenceKind.SAID, 1000, 7250, (0, 1, 2))}


def test_a_merged_step_joins_even_when_no_block_of_it_is_left() -> None:
    only_first = GUIDE[: GUIDE.index(f"<!-- block:{NAME}")]
    both = Evidence(EvidenceKind.SAID, 1000, 7250, (0, 1, 2))
    assert carried(only_first, merged={NAME: MENU}) == {MENU: both}
    assert carried(only_first, merged={NAME: OPEN, OPEN: MENU}) == {MENU: both}, "merged again"
    assert carried(only_first, merged={NAME: TYPE}) == {MENU: EVIDENCE[MENU]}, "with what is gone itself"
    assert carried(GUIDE, merged={NAME: MENU}) == EVIDENCE, "it is a step again"


@pytest.mark.parametrize("heading", ["## Type the name", "Type the name", "### Type the name"])
def test_a_heading_that_becomes_plain_text_is_no_new_text(heading: str) -> None:
    found = carried(GUIDE.replace("## Step 2: Type the name", heading.replace("## ", "### ")))
    assert found[MENU] == Evidence(EvidenceKind.SAID, 1000, 7250, (0, 1, 2))


def test_of_joined_steps_the_kind_furthest_from_the_recording_counts() -> None:
    kinds = [EvidenceKind.EDITED, EvidenceKind.GENERATED, EvidenceKind.SHOWN, EvidenceKind.SAID]
    joined = without(GUIDE, NAME, "## Step 2: Type the name")
    for at, kind in enumerate(kinds):
        for other in kinds[at:]:
            for pair in ((kind, other), (other, kind)):
                evidence = dict(zip((MENU, NAME), map(Evidence, pair), strict=True))
                assert carried(joined, evidence=evidence) == {MENU: Evidence(kind)}


@pytest.mark.parametrize(
    ("spans", "joined"),
    [
        (((1000, None), (4000, None)), (1000, 4000)),
        (((1000, None), (1000, None)), (1000, None)),
        (((None, None), (4000, 5000)), (4000, 5000)),
        (((4000, 5000), (1000, None)), (1000, 5000)),
        (((None, None), (None, None)), (None, None)),
    ],
)
def test_spans_join_where_an_end_is_not_known(
    spans: tuple[tuple[int | None, int | None], ...], joined: tuple[int | None, int | None]
) -> None:
    evidence = {
        step: Evidence(EvidenceKind.SAID, *span) for step, span in zip((MENU, NAME), spans, strict=True)
    }
    found = carried(without(GUIDE, NAME, "## Step 2: Type the name"), evidence=evidence)
    assert (found[MENU].start_ms, found[MENU].end_ms) == joined


def test_frames_join_and_go_to_each_part() -> None:
    first, second = Frame(10, "aa"), Frame(20, "bb")
    evidence = {
        MENU: Evidence(EvidenceKind.SHOWN, frames=(second,)),
        NAME: Evidence(EvidenceKind.SHOWN, frames=(first, second)),
    }
    joined = carried(without(GUIDE, NAME, "## Step 2: Type the name"), evidence=evidence)
    assert joined[MENU].frames == (first, second)
    split = carried(cut(GUIDE, CHOOSE), evidence=evidence)
    assert split[MENU].frames == split[new_id()].frames == (second,)


def cut(text: str, block_id: str, heading: str = "## Step 2: Settings") -> str:
    """Put a heading before a block."""
    return text.replace(f"<!-- block:{block_id} -->", f"{heading}\n\n<!-- block:{block_id} -->")


def test_a_split_step_is_divided_by_what_was_said() -> None:
    found = carried(cut(GUIDE, CHOOSE))
    assert found[MENU] == Evidence(EvidenceKind.SAID, 1000, 2400, (0,))
    assert found[new_id()] == Evidence(EvidenceKind.EDITED, 2500, 4000, (1,))
    assert found[NAME] == EVIDENCE[NAME]


@pytest.mark.parametrize(
    ("whole", "first", "last"),
    [
        ((0, 9000), (0, 2400), (2500, 9000)),
        ((2000, 3000), (2000, 2400), (2500, 3000)),
        ((2450, 2460), (2450, 2450), (2460, 2460)),
        ((2000, None), (2000, 2400), (2500, None)),
        ((None, None), (None, None), (None, None)),
    ],
)
def test_the_parts_of_a_span_lie_inside_it_and_keep_its_ends(
    whole: tuple[int | None, int | None],
    first: tuple[int | None, int | None],
    last: tuple[int | None, int | None],
) -> None:
    evidence = {**EVIDENCE, MENU: Evidence(EvidenceKind.SAID, *whole, (0, 1))}
    found = carried(cut(GUIDE, CHOOSE), evidence=evidence)
    assert found[MENU] == Evidence(EvidenceKind.SAID, *first, (0,))
    assert found[new_id()] == Evidence(EvidenceKind.EDITED, *last, (1,))


def test_a_block_that_moves_to_another_step_takes_what_it_rests_on() -> None:
    moved = (
        without(GUIDE, CHOOSE, "Choose the settings.") + f"\n<!-- block:{CHOOSE} -->\nChoose the settings.\n"
    )
    found = carried(moved)
    assert found[MENU] == Evidence(EvidenceKind.SAID, 1000, 2400, (0,))
    assert found[NAME] == Evidence(EvidenceKind.SAID, 2500, 7250, (1, 2))


def test_parts_that_the_words_do_not_tell_apart_take_all(monkeypatch: pytest.MonkeyPatch) -> None:
    german = GUIDE.replace("Open the menu at the top.", "Öffnen.").replace("Choose the settings.", "Wählen.")
    german = german.replace("Open the menu", "Menü")
    found = carried(cut(german, CHOOSE), before=german)
    assert found[MENU] == EVIDENCE[MENU]
    assert found[new_id()] == Evidence(EvidenceKind.EDITED, 1000, 4000, (0, 1))


def test_a_part_to_which_no_segment_falls_takes_all() -> None:
    evidence = {**EVIDENCE, MENU: Evidence(EvidenceKind.SAID, 1000, 4000, (0,))}
    found = carried(cut(GUIDE, CHOOSE), evidence=evidence)
    assert found[MENU] == Evidence(EvidenceKind.SAID, 1000, 2400, (0,))
    assert found[new_id()] == Evidence(EvidenceKind.EDITED, 1000, 4000, (0,))


def test_segments_that_are_not_stored_divide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(SAID, 1)
    texts = (Text(text, parse_blocks(text)) for text in (GUIDE, marked_again(cut(GUIDE, CHOOSE))))
    found = carry_over(
        next(texts), EVIDENCE, next(texts), spoken=lambda _: SAID, kind=EvidenceKind.EDITED, given={}
    )
    assert found[MENU].segments == found[new_id()].segments == (0, 1)


def marked_again(text: str) -> str:
    return ensure_markers(text, new_id)


def test_what_is_split_too_often_stays_with_the_first_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_PAIRS", 3)
    found = carried(cut(GUIDE, CHOOSE))
    assert found[MENU] == EVIDENCE[MENU]
    assert found[new_id()] == Evidence(EvidenceKind.EDITED, 1000, 4000)


def test_a_deleted_step_leaves_nothing_behind() -> None:
    assert carried(GUIDE[: GUIDE.index(f"<!-- block:{NAME}")]) == {MENU: EVIDENCE[MENU]}
    assert carried("# Nothing\n") == {}


def test_a_new_step_has_the_span_that_is_given_or_stands_in_its_heading() -> None:
    text = (
        GUIDE
        + "\n## Step 3: Save\n\nSave.\n\n## Step 4: Close (0:09–0:11)\n\nClose.\n\n## Step 5: Done\n\nX.\n"
    )
    found = carried(text, given={new_id(0): (7500, 8250)})
    assert found[new_id(0)] == Evidence(EvidenceKind.EDITED, 7500, 8250)
    assert found[new_id(2)] == Evidence(EvidenceKind.EDITED, 9000, 11_000)
    assert found[new_id(4)] == Evidence(EvidenceKind.EDITED)
    assert carried(text, kind=EvidenceKind.GENERATED)[new_id(4)].kind == EvidenceKind.GENERATED


def test_times_that_are_written_into_a_heading_win() -> None:
    found = carried(GUIDE.replace("Open the menu\n", "Open the menu (0:02–0:03)\n"))
    assert found[MENU] == Evidence(EvidenceKind.SAID, 2000, 3000, (0, 1))
    assert carried(cut(GUIDE, CHOOSE, "## Step 2: Settings (0:03)"))[new_id()].start_ms == 3000


@pytest.mark.parametrize("title", ["Open the menu", "Go *there*", "[Open](x) it", "Open the menu ##"])
def test_times_that_stood_in_a_heading_do_not(title: str) -> None:
    timed = GUIDE.replace("Open the menu\n", "Open the menu (0:02–0:03)\n")
    title, end = title.strip(" #"), " ##" if title.endswith("#") else ""
    changed = timed.replace("Step 1: Open the menu (0:02–0:03)\n", f"Step 2: {title} (0:02–0:03){end}\n")
    for text in (timed, changed, timed.replace(" (0:02–0:03)", "")):
        found = carried(text, before=timed)[MENU]
        assert (found.start_ms, found.end_ms) == (1000, 4000), "as the row says"


def test_a_span_that_is_given_is_taken_before_the_times_of_a_heading() -> None:
    text = GUIDE + "\n## Step 3: Save (0:09)\n"
    assert carried(text, given={new_id(): (7500, 8250)})[new_id()].start_ms == 7500


def test_a_mark_for_review_stays_until_the_text_is_edited_by_hand() -> None:
    evidence = {step: Evidence(EvidenceKind.SAID, 0, 1, needs_review=True) for step in EVIDENCE}
    changed = GUIDE.replace("Type the name.", "Type your name.")
    assert carried(GUIDE, evidence=evidence) == evidence
    by_hand = carried(changed, evidence=evidence)
    assert (by_hand[MENU].needs_review, by_hand[NAME].needs_review) == (True, False)
    assert carried(changed, evidence=evidence, kind=EvidenceKind.GENERATED)[NAME].needs_review
    evidence[NAME] = Evidence(EvidenceKind.SAID, 0, 1)
    assert carried(without(GUIDE, NAME, "## Step 2: Type the name"), evidence=evidence)[MENU].needs_review


def test_a_step_inside_a_step_keeps_its_own() -> None:
    nested = GUIDE.replace("## Step 2", "### Step 1")
    assert carried(nested) == EVIDENCE
    assert carried(nested, before=nested) == EVIDENCE


def test_the_transcript_is_asked_for_a_split_alone() -> None:
    def refuse(positions: Collection[int]) -> dict[int, Segment]:
        raise AssertionError(f"asked for {positions}")

    joined = without(GUIDE, NAME, "## Step 2: Type the name")
    before, after = (Text(text, parse_blocks(text)) for text in (GUIDE, joined))
    assert carry_over(before, EVIDENCE, after, spoken=refuse, kind=EvidenceKind.EDITED, given={})
