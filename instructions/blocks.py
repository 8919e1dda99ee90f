"""Block markers, which give every top-level block of an instruction an id that stays through edits.

A marker is a line `<!-- block:UUID -->` before the block it names. Block structure comes from markdown-it-py
(CommonMark with tables and strikethrough), so a marker inside a code fence, a list item or a longer piece of
HTML is not a marker. All offsets are Unicode code points of the text handed in; all times are milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from instructions.block import Block
from instructions.complexity import count_marks
from instructions.parser import BLOCK_NESTING, INLINE_NESTING, limited, make_parser, parse_inline, plain_text
from jobs.media.clock import clock

_KINDS = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "bullet_list_open": "list",
    "ordered_list_open": "ordered_list",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
    "blockquote_open": "quote",
    "html_block": "html",
    "hr": "rule",
}
_LINE_END = re.compile(r"\r\n?|\n")
MARKER = re.compile(r"<!--[ \t]*block:([^\s>]*?)[ \t]*-->")
_MARKER_LINE = re.compile(rf"^[ \t]*{MARKER.pattern}[ \t]*(?:\r\n?|\n|\Z)", re.MULTILINE)
# A list item without text on its line; followed by a blank line, it would lose the text below.
_BARE_ITEM = re.compile(r"(?:^|[\s>])(?:[-+*]|[0-9]+[.)])$")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
STEP_NUMBER = re.compile(
    r"(?:step\s+([0-9]{1,3})(?![0-9]|\.[0-9]|\w)\s*[:.)–—-]?|([0-9]{1,3})[.)](?=\s|$))\s*", re.IGNORECASE
)
_PLAIN_HEADING = re.compile(r"#{1,6} (?:[^\W_]|[ .,:;()–—-])*")  # letters, digits and what marks nothing
_CLOCK = r"(?:[0-9]{1,2}:[0-5][0-9]|[0-9]{1,3}):[0-5][0-9](?:\.[0-9]{1,3})?"
TIME_SUFFIX = re.compile(rf"\(\s*({_CLOCK})(?:\s*[–—-]\s*({_CLOCK}))?\s*\)$")


@dataclass
class TopLevel:
    """A top-level block in the parser's terms: lines `first` to `last` (exclusive) and its tokens."""

    kind: str
    first: int
    last: int
    tokens: list[Token]
    block_id: str = ""
    level: int | None = None
    text: str | None = None
    is_step: bool = False


@dataclass
class Outline:
    """The lines of a text, its top-level blocks, and the numbers of the lines that are markers."""

    lines: list[str]
    blocks: list[TopLevel] = field(default_factory=list)
    marker_lines: set[int] = field(default_factory=set)
    environment: dict[str, Any] = field(default_factory=dict)
    has_content: bool = False  # more than comments and other HTML
    marks_read: int = 0  # in headings and pictures


MAX_BRACKETS = 30  # in a heading, to be parsed
MAX_MARKS_READ = 20_000
_BLOCK_PARSER = make_parser(nesting=BLOCK_NESTING)
_INLINE_PARSER = make_parser(nesting=INLINE_NESTING)


def parse_blocks(markdown: str) -> list[Block]:
    """Return the blocks in the order they begin; a step comes before the blocks within it."""
    return blocks_of(read_outline(markdown), markdown)


def blocks_of(outline: Outline, markdown: str) -> list[Block]:
    """Return what `parse_blocks` does, of a text whose outline with its text is known."""
    starts = _line_starts(markdown)
    result = []
    for index, top in enumerate(outline.blocks):
        last, number, title, start_ms, end_ms = top.last, None, top.text, None, None
        if top.is_step:
            last = outline.blocks[section_end(outline.blocks, index) - 1].last
            number, title, start_ms, end_ms = split_step_heading(top.text or "")
        result.append(
            Block(
                block_id=top.block_id,
                kind="step" if top.is_step else top.kind,
                title=title,
                start_offset=starts[top.first],
                end_offset=starts[last - 1] + len(outline.lines[last - 1]),
                start_ms=start_ms,
                end_ms=end_ms,
                level=top.level,
                number=number,
            )
        )
    return result


def ensure_markers(markdown: str, new_id: Callable[[], str]) -> str:
    """Return the same text with exactly one marker directly before every top-level block.

    A marker belongs to the next block after it. `new_id` replaces missing, malformed and repeated ids;
    markers without a block are dropped. Line ends become `\\n`, and the text ends with exactly one; a blank
    text becomes empty. A second call changes nothing.
    """
    return with_markers(read_outline(normalized(markdown), with_text=False), new_id)


def with_markers(outline: Outline, new_id: Callable[[], str]) -> str:
    """Return what `ensure_markers` does, of a text whose outline is known."""
    blocks = {block.first: block for block in outline.blocks}
    written: list[str] = []
    for number, line in enumerate(outline.lines):
        if number in outline.marker_lines:
            if _keeps_apart(outline, number, written, blocks):
                written.append("")
            continue
        if block := blocks.get(number):
            written.append(f"<!-- block:{block.block_id or new_id()} -->")
        written.append(line)
    return ended(written)


def marker_bytes(markdown: str) -> int:
    """Return how many bytes of a text are lines of markers, found without parsing it."""
    return sum(len(line.group().encode()) for line in _MARKER_LINE.finditer(markdown))


def strip_markers(markdown: str) -> str:
    """Return the text without markers, blocks one blank line apart; markers in code stay."""
    outline = read_outline(normalized(markdown), with_text=False)
    written: list[str] = []
    line_after = 0
    for index, block in enumerate(outline.blocks):
        separator = ["<!-- -->", ""] if needs_separator(outline, index) else []
        written += separator or _definitions(outline, line_after, block.first)
        written += [*_without_nested_markers(block, outline.lines), ""]
        line_after = block.last
    written += _definitions(outline, line_after, len(outline.lines))
    return ended(written)


def needs_separator(outline: Outline, index: int) -> bool:
    """Return whether an empty comment separates a block from the one before without markers (CommonMark, 5.3)."""
    before, block = outline.blocks[index - 1], outline.blocks[index]
    is_apart = index == 0 or _definitions(outline, before.last, block.first)
    return not is_apart and _would_join(before, block, outline.lines[block.first])


def split_step_heading(text: str) -> tuple[int | None, str, int | None, int | None]:
    """Return number, title, start and end (ms) of a step heading's plain text, number `None` for others.

    Recognised are `Step 3`, `Step 3:`, `3.`, `3)`, and at the end one time or a range in round brackets, as
    m:ss or h:mm:ss with up to three decimals. A range that runs backwards stays in the title.
    """
    text = text.strip()
    number = STEP_NUMBER.match(text)
    if not number:
        return None, text, None, None
    title = text[number.end() :]
    start_ms = end_ms = None
    if times := TIME_SUFFIX.search(title):
        start_ms = _milliseconds(times[1])
        end_ms = _milliseconds(times[2]) if times[2] else None
        if end_ms is not None and end_ms < start_ms:
            start_ms = end_ms = None
        else:
            title = title[: times.start()].rstrip()
    return int(number[1] or number[2]), title, start_ms, end_ms


def format_time_range(start_ms: int, end_ms: int | None = None) -> str:
    """Return `(0:12–0:18)` in whole seconds, rounded down; the start alone when both are the same second."""
    start = clock(start_ms)
    end = clock(end_ms) if end_ms is not None else start
    return f"({start}–{end})" if end != start and (end_ms or 0) > start_ms else f"({start})"


def heading_text(markdown: str) -> str:
    """Return the plain text of the heading that a text begins with, as the heading reads by itself.

    It is not parsed when it has no marks, which alone can read differently, as a link that is defined elsewhere.
    """
    line = markdown.partition("\n")[0]
    if _PLAIN_HEADING.fullmatch(line):
        return " ".join(line.lstrip("#").split())
    blocks = read_outline(markdown).blocks
    return blocks[0].text or "" if blocks else ""


def read_outline(
    markdown: str, parser: MarkdownIt = _BLOCK_PARSER, *, with_text: bool = True, max_work: int | None = None
) -> Outline:
    """Return top-level blocks and markers, each id on its block (the first of two equal ids is kept); without the
    text no block has a level, a text, or is known to be a step or a picture.

    Raises DocumentTooComplex for a parse of more than `max_work` (see `instructions.parser`).
    """
    outline = Outline(lines=_LINE_END.split(markdown), environment=limited(max_work))
    taken: set[str] = set()
    waiting = ""
    for tokens in _top_level_runs(parser.parse(markdown, outline.environment)):
        first, last = tokens[0].map or (0, 0)
        if marker := _marker_of(tokens[0]):
            outline.marker_lines.add(first)
            waiting = marker[1].lower()
            continue
        # The parser counts blank lines after a list or an open code fence as part of it.
        while last > first + 1 and not outline.lines[last - 1].strip(" \t"):
            last -= 1
        block = TopLevel(kind=_KINDS[tokens[0].type], first=first, last=last, tokens=tokens)
        if _UUID.fullmatch(waiting) and waiting not in taken:
            block.block_id = waiting
            taken.add(waiting)
        waiting = ""
        outline.blocks.append(block)
    if with_text:
        add_text(outline)
    return outline


def add_text(outline: Outline) -> None:
    """Complete an outline that was read without text."""
    for block in outline.blocks:
        _describe(block, outline)
        outline.has_content = outline.has_content or block.kind != "html"


def _describe(block: TopLevel, outline: Outline) -> None:
    opening, content = block.tokens[0], block.tokens[1:2]
    if block.kind == "heading":
        block.level = int(opening.tag[1])
        block.text = plain_text(_readable(content[0], outline))
        # The heading of level 1 that opens a document is its title, also when it reads "2. Invoices".
        is_title = block.level == 1 and not outline.has_content
        block.is_step = not is_title and split_step_heading(block.text)[0] is not None
    elif block.kind == "paragraph" and content[0].content.startswith(("![", "[![")):
        children = _readable(content[0], outline)
        others = {child.type for child in children if child.type != "text" or child.content.strip()}
        if "image" in others and others <= {"image", "link_open", "link_close", "softbreak", "hardbreak"}:
            block.kind = "image"


def _readable(token: Token, outline: Outline) -> list[Token]:
    """Return inline tokens, or the unparsed text when it and those before have marks for seconds of parsing."""
    outline.marks_read += count_marks(token.content)
    if token.content.count("[") > MAX_BRACKETS or outline.marks_read > MAX_MARKS_READ:
        return [token]
    return parse_inline(token, _INLINE_PARSER, outline.environment)


def _top_level_runs(tokens: Sequence[Token]) -> list[list[Token]]:
    """Return the tokens of each top-level block, from its opening token to its closing one."""
    runs: list[list[Token]] = []
    for token in tokens:
        if token.level == 0 and token.nesting >= 0:
            runs.append([])
        runs[-1].append(token)
    return runs


def _marker_of(token: Token) -> re.Match[str] | None:
    return MARKER.fullmatch(token.content.strip()) if token.type == "html_block" else None


def section_end(blocks: Sequence[TopLevel], index: int) -> int:
    """Return the index after the last block of the section that the heading at `index` opens."""
    level = blocks[index].level or 1
    for end in range(index + 1, len(blocks)):
        if (blocks[end].level or 7) <= level:
            return end
    return len(blocks)


def _keeps_apart(outline: Outline, number: int, written: list[str], blocks: dict[int, TopLevel]) -> bool:
    """Return whether a link definition would join the text above without the marker between them."""
    after = number + 1
    if after >= len(outline.lines) or after in outline.marker_lines or after in blocks:
        return False
    return bool(written and written[-1].strip(" \t") and outline.lines[after].strip(" \t"))


def _definitions(outline: Outline, first: int, last: int) -> list[str]:
    """Return the link definitions between two blocks and a blank line; empty when there are none."""
    numbers = (number for number in range(first, last) if number not in outline.marker_lines)
    found = [outline.lines[number] for number in numbers if outline.lines[number].strip(" \t")]
    return [*found, ""] if found else []


def _would_join(before: TopLevel, block: TopLevel, first_line: str) -> bool:
    """Return whether two blocks that only a marker separates would be one with a blank line between."""
    if before.tokens[0].type == "code_block":
        return block.tokens[0].type == "code_block"
    return before.kind in ("list", "ordered_list") and (
        block.kind == before.kind or first_line.startswith((" ", "\t"))
    )


def _without_nested_markers(block: TopLevel, lines: Sequence[str]) -> list[str]:
    """Return the block's lines without the markers in its list items and quotations."""
    nested = {token.map[0] for token in block.tokens[1:] if token.map and _marker_of(token)}
    kept = [
        _BARE_ITEM.sub(r"\g<0> <!-- -->", MARKER.sub("", lines[number]).rstrip())
        if number in nested
        else lines[number]
        for number in range(block.first, block.last)
    ]
    while nested and not kept[-1].strip(" \t"):
        kept.pop()
    return kept


def ended(lines: Sequence[str]) -> str:
    """Return the text of lines, which ends with one line end; a blank text is empty."""
    text = "\n".join(lines).rstrip("\n")
    return text + "\n" if text.strip() else ""


def normalized(markdown: str) -> str:
    """Return the text with `\\n` for every line end."""
    return _LINE_END.sub("\n", markdown)


def _line_starts(markdown: str) -> list[int]:
    return [0, *(end.end() for end in _LINE_END.finditer(markdown))]


def _milliseconds(time: str) -> int:
    whole, _, fraction = time.partition(".")
    seconds = 0
    for part in whole.split(":"):
        seconds = seconds * 60 + int(part)
    return seconds * 1000 + int(fraction.ljust(3, "0") or 0)
