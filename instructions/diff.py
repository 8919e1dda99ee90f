"""What changed between two versions of a text: by lines, and by blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from instructions.block import Block
from instructions.sequences import heaviest_increasing, same_lines

CONTEXT = 3  # unchanged lines around a change

MIN_STAYED = 0.3  # of a text's characters, for its words to be compared at all
MAX_WORDS = 4_000  # of a text whose words are compared with those of another

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_UNDERLINE = re.compile(r"[ ]{0,3}(?:=+|-+)[ \t]*")  # of a setext heading (CommonMark 0.31, 4.3)

_Edit = tuple[int, int, int, int]  # lines [a, b) of the text before became lines [c, d) of the text after


class Change(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True)
class BlockChange:
    block_id: str
    change: Change


class Run(NamedTuple):
    """Text that stands in both (`change` is None), or was added or removed."""

    change: Change | None
    text: str


def unified_diff(before: str, after: str, *, names: tuple[str, str]) -> str:
    """Return the lines that differ in the unified format, as `diff -u` writes it; empty for equal texts.

    Lines end with `\\n` alone. `names` stand in the header. The markers of blocks are lines of the text: it can be
    applied to the text as it stands. As each is there once, the diff follows the blocks (see `same_lines`).
    """
    if before == after:
        return ""
    old, new = _lines(before), _lines(after)
    written = [f"--- {names[0]}\n+++ {names[1]}\n"]
    for edits in _hunks(list(_edits(old, new))):
        written += _hunk(edits, old, new)
    return "".join(written)


def block_changes(
    before: str, blocks_before: Sequence[Block], after: str, blocks_after: Sequence[Block]
) -> list[BlockChange]:
    """Return what became of each block by its id, in the order of the text after; removed ones where they stood.

    A block is changed when its own text is another: of a step, its heading. Moved are those outside of the longest
    run of text that kept its order, a step with all blocks in it. A block may be both, changed and then moved.
    """
    old, new = own_texts(before, blocks_before), own_texts(after, blocks_after)
    places = {block_id: place for place, block_id in enumerate(old)}
    common = [block_id for block_id in new if block_id in places]
    weights = [len(new[block_id]) + 1 for block_id in common]
    kept = {
        common[index] for index in heaviest_increasing([places[block_id] for block_id in common], weights)
    }
    removed: dict[str, list[str]] = {}  # by the block that they stood behind
    last_kept = ""
    for block_id in old:
        last_kept = block_id if block_id in kept else last_kept
        if block_id not in new:
            removed.setdefault(last_kept, []).append(block_id)
    changes = [(block_id, Change.REMOVED) for block_id in removed.get("", ())]
    for block_id, text in new.items():
        if block_id not in old:
            changes.append((block_id, Change.ADDED))
            continue
        if text != old[block_id]:
            changes.append((block_id, Change.CHANGED))
        if block_id not in kept:
            changes.append((block_id, Change.MOVED))
        changes += [(gone, Change.REMOVED) for gone in removed.get(block_id, ())]
    return [BlockChange(block_id, change) for block_id, change in changes]


def word_runs(before: str, after: str) -> list[Run]:
    """Return what became of a text word by word. Where little of it stayed, or of one with over MAX_WORDS words, spaces
    and marks, all is removed and all is added."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    whole = [Run(change, text) for change, text in ((Change.REMOVED, before), (Change.ADDED, after)) if text]
    if max(len(old), len(new)) > MAX_WORDS:
        return whole
    runs: list[Run] = []
    removed = added = ""
    for gone, came, kept in _parts(old, new):
        removed, added = removed + gone, added + came
        if kept.isspace():  # alone between two changes it tells nothing
            removed, added = removed + kept, added + kept
        elif kept:
            runs += [Run(Change.REMOVED, removed), Run(Change.ADDED, added), Run(None, kept)]
            removed = added = ""
    runs += [Run(Change.REMOVED, removed), Run(Change.ADDED, added)]
    stayed = sum(len(run.text) for run in runs if run.change is None)
    return [run for run in runs if run.text] if stayed >= MIN_STAYED * max(len(before), len(after)) else whole


def _parts(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield what was removed and added before each stretch that stands in both, and the stretch."""
    line = 0
    removed = added = ""
    for start, end, new_start, new_end in _edits(old, new):
        yield removed, added, "".join(old[line:start])
        removed, added = "".join(old[start:end]), "".join(new[new_start:new_end])
        line = end
    yield removed, added, "".join(old[line:])


def _lines(text: str) -> list[str]:
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, f"{last}\n\\ No newline at end of file\n"] if last else lines


def _hunks(edits: Sequence[_Edit]) -> Iterator[list[_Edit]]:
    """Yield the edits whose contexts touch, together."""
    hunk: list[_Edit] = []
    for edit in edits:
        if hunk and edit[0] - hunk[-1][1] > 2 * CONTEXT:
            yield hunk
            hunk = []
        hunk.append(edit)
    yield hunk


def _hunk(edits: Sequence[_Edit], old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    first, last = max(edits[0][0] - CONTEXT, 0), min(edits[-1][1] + CONTEXT, len(old))
    new_first = edits[0][2] - (edits[0][0] - first)
    new_last = edits[-1][3] + (last - edits[-1][1])
    yield f"@@ -{_range(first, last)} +{_range(new_first, new_last)} @@\n"
    for start, end, new_start, new_end in edits:
        yield from (f" {line}" for line in old[first:start])
        yield from (f"-{line}" for line in old[start:end])
        yield from (f"+{line}" for line in new[new_start:new_end])
        first = end
    yield from (f" {line}" for line in old[first:last])


def _range(first: int, last: int) -> str:
    """Return lines [first, last) as a hunk names them: from 1, and an empty range by the line before it."""
    return f"{first + 1 if last > first else first},{last - first}"


def _edits(old: Sequence[str], new: Sequence[str]) -> Iterator[_Edit]:
    line = new_line = 0
    for same, new_same in [*same_lines(old, new), (len(old), len(new))]:
        if same > line or new_same > new_line:
            yield line, same, new_line, new_same
        line, new_line = same + 1, new_same + 1


def own_texts(markdown: str, blocks: Sequence[Block]) -> dict[str, str]:
    """Return the text of each block that has an id; of a step, its heading alone."""
    return {
        block.block_id: _heading(markdown, block)
        if block.kind == "step"
        else markdown[block.start_offset : block.end_offset]
        for block in blocks
        if block.block_id
    }


def _heading(markdown: str, step: Block) -> str:
    """Return the heading that a step begins with: one line, or all to the underline."""
    lines = markdown[step.start_offset : step.end_offset].split("\n")
    if lines[0].lstrip(" ").startswith("#"):
        return lines[0]
    underline = next(number for number, line in enumerate(lines) if number and _UNDERLINE.fullmatch(line))
    return "\n".join(lines[: underline + 1])
