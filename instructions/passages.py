"""Passages of a document: what a selection names, and other words in its place.

Offsets are code points of the document's Markdown, in which every top-level block has its marker. Of a changed
document everything outside of the passage is as it was: the bytes, and what blocks they make.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from instructions.block import Block
from instructions.blocks import MARKER, Outline, TopLevel, normalized, read_outline, with_markers
from instructions.complexity import DocumentTooComplex, check_complexity
from instructions.parser import MAX_WORK

MAX_PASSAGE = 10_500  # bytes of UTF-8 that are rewritten at once, which every model profile takes
MAX_WORDS = 80_000  # code points of what is put in place

_NO_TEXT = re.compile("[\0\ud800-\udfff]")  # what PostgreSQL or UTF-8 cannot hold
_NO_MARKER = "<!-- block: -->"  # separates blocks as a marker does, and gives no id
_LEADING_MARKERS = re.compile(rf"(?:\s*{MARKER.pattern})+\s*?(?:\n|\Z)")


class SelectionInvalid(ValueError):
    """The selection names no passage. `field` is its own field that is wrong, `code` says why."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.field, self.code, self.message = field, code, message


class ReplacementInvalid(ValueError):
    """The new words cannot stand in place of the passage; the message says why, and quotes nothing."""


@dataclass(frozen=True)
class Passage:
    """Code points `start` to `end` (exclusive) of a Markdown text."""

    start: int
    end: int

    def text_in(self, markdown: str) -> str:
        return markdown[self.start : self.end]


def find_passage(markdown: str, blocks: Sequence[Block], selection: Mapping[str, Any]) -> Passage:
    """Return the passage of `{block_id}` or `{char_range: {start_offset, end_offset}}`.

    Of a block it is its own Markdown without its marker, of a step that of the whole step with the markers inside.
    Raise SelectionInvalid when the text has no such block or range, when a range cuts a marker in two or holds no
    words, and for more than MAX_PASSAGE, or what alone takes too long to parse.
    """
    if "block_id" in selection:
        field = "block_id"
        named = next((block for block in blocks if block.block_id == selection["block_id"]), None)
        if named is None:
            raise SelectionInvalid(field, "not_found", "This version has no such block.")
        passage = Passage(named.start_offset, named.end_offset)
    else:
        field, places = "char_range", selection["char_range"]
        passage = Passage(places["start_offset"], places["end_offset"])
        _check_range(markdown, passage)
    if len(passage.text_in(markdown).encode()) > MAX_PASSAGE:
        message = f"This is more than {MAX_PASSAGE:,} bytes of UTF-8, the most that is rewritten at once."
        raise SelectionInvalid(field, "too_long", message)
    try:
        _check_work(passage.text_in(markdown))
    except DocumentTooComplex as error:
        raise SelectionInvalid(field, "too_complex", str(error)) from error
    return passage


def _check_range(markdown: str, passage: Passage) -> None:
    if not passage.start < passage.end <= len(markdown):
        raise SelectionInvalid("char_range", "out_of_range", "The range is empty or outside the text.")
    for marker in MARKER.finditer(markdown):
        if any(marker.start() < offset < marker.end() for offset in (passage.start, passage.end)):
            raise SelectionInvalid(
                "char_range", "cuts_marker", "The range begins or ends inside a block marker."
            )
    if not MARKER.sub("", passage.text_in(markdown)).strip():
        raise SelectionInvalid("char_range", "no_text", "The range holds no text.")


def _check_work(markdown: str) -> None:
    """Raise DocumentTooComplex for what must not be parsed without a limit."""
    check_complexity(markdown)
    read_outline(markdown, with_text=False, max_work=MAX_WORK)


def replace_passage(markdown: str, passage: Passage, words: str) -> str:
    """Return the text with other words in place of the passage.

    White space around the passage stays. Blocks inside of it keep their ids: by their markers in `words`, else by
    their place, if as many have lost their marker there as are new. Other markers in `words` give no id.

    Raise ReplacementInvalid when nothing is left of `words`, when they are too many, when the first block of the
    passage would be of another kind, or its headings not of the same levels in the same order, and when a block or a
    link definition outside would be another one: by a code fence that is left open, for example.
    """
    fitted = _fitted(passage.text_in(markdown), words)
    replaced = markdown[: passage.start] + fitted + markdown[passage.end :]
    try:
        check_complexity(replaced)
        before = read_outline(markdown, max_work=MAX_WORK)
        after = read_outline(replaced, max_work=MAX_WORK)
    except DocumentTooComplex as error:
        raise ReplacementInvalid(str(error)) from error
    inside_before, outside_before = _parts(before, markdown, passage)
    inside_after, outside_after = _parts(after, replaced, Passage(passage.start, passage.start + len(fitted)))
    if outside_before != outside_after or _definitions(before) != _definitions(after):
        raise ReplacementInvalid("The new words would change what stands around them.")
    if _structure(inside_before) != _structure(inside_after):
        raise ReplacementInvalid("The new words have another structure.")
    is_changed = _give_lost_ids([block.block_id for block in inside_before], inside_after)
    return with_markers(after, lambda: "") if is_changed else replaced


def _fitted(passage: str, words: str) -> str:
    """Return the new words with the white space of the passage, and no marker that is not of the passage."""
    if len(words) > MAX_WORDS:
        raise ReplacementInvalid("The new words are too many.")
    if _NO_TEXT.search(words):
        raise ReplacementInvalid("The new words hold what is no text.")
    own = {marker[1].lower() for marker in MARKER.finditer(passage)}
    words = MARKER.sub(
        lambda marker: marker[0] if marker[1].lower() in own else _NO_MARKER, normalized(words)
    )
    if not _LEADING_MARKERS.match(passage) and (leading := _LEADING_MARKERS.match(words)):
        words = words[leading.end() :]  # the block has its own before it
    if not MARKER.sub("", words).strip():
        raise ReplacementInvalid("There are no new words.")
    leading_space = passage[: len(passage) - len(passage.lstrip())]
    return leading_space + words.strip() + passage[len(passage.rstrip()) :]


def _parts(outline: Outline, markdown: str, passage: Passage) -> tuple[list[TopLevel], list[tuple[Any, ...]]]:
    """Return the blocks that have a line in the passage, and what those before and after it are, each with its
    lines: counted from the text's beginning, and from its end."""
    first = markdown.count("\n", 0, passage.start)
    last = markdown.count("\n", 0, passage.end - 1)
    inside = [block for block in outline.blocks if block.last > first and block.first <= last]
    outside = []
    for block in outline.blocks:
        origin = 0 if block.last <= first else len(outline.lines) if block.first > last else None
        if origin is not None:
            opening = block.tokens[0]
            what = (block.block_id, block.is_step, opening.type, opening.tag)
            outside.append((*what, block.first - origin, block.last - origin))
    return inside, outside


def _definitions(outline: Outline) -> dict[str, tuple[str, str]]:
    """Return the links that a text defines, by their labels."""
    found = outline.environment.get("references", {})
    return {label: (link["href"], link.get("title", "")) for label, link in found.items()}


def _structure(blocks: Sequence[TopLevel]) -> tuple[list[tuple[str, int]], list[tuple[int | None, bool]]]:
    """Return what must stay: the kind of the first block and the line that it begins on, and the headings."""
    headings = [(block.level, block.is_step) for block in blocks if block.kind == "heading"]
    return [(block.kind, block.first) for block in blocks[:1]], headings


def _give_lost_ids(ids: Sequence[str], blocks: Sequence[TopLevel]) -> bool:
    """Give the ids of blocks that lost their marker to those without one, and return whether there were any.

    This is done between each two blocks that have kept theirs, where as many are new as were lost.
    """
    kept = {block.block_id for block in blocks}
    lost, new = defaultdict[str, list[str]](list), defaultdict[str, list[TopLevel]](list)
    after = ""
    for block_id in ids:
        after = block_id if block_id in kept else after
        if after != block_id:
            lost[after].append(block_id)
    after = ""
    for block in blocks:
        after = block.block_id or after
        if not block.block_id:
            new[after].append(block)
    at_their_place = [after for after in new if len(new[after]) == len(lost[after])]
    for after in at_their_place:
        for block, block_id in zip(new[after], lost[after], strict=True):
            block.block_id = block_id
    return bool(at_their_place)
