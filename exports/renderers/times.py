"""Print the spans of steps, which a document has beside its text, in the headings of the steps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from instructions.blocks import TopLevel, format_time_range, read_outline, split_step_heading
from instructions.edits.headings import References, without_times

# The space, and the closing marks that a heading of one line may have (CommonMark 0.31, 4.2).
_CLOSING = re.compile(r"(?:[ \t]+#+)?[ \t]*$")


def with_times(markdown: str, spans: Mapping[str, tuple[int, int | None]]) -> str:
    """Return the text with the span of each step at the end of its heading, such as `(0:12–0:18)`.

    `spans` are milliseconds by block id. A heading in which the same times stand already keeps its bytes; other times
    that its text ends with are replaced.
    """
    if not spans:
        return markdown
    outline = read_outline(markdown)
    for block in outline.blocks:
        if not block.is_step or block.block_id not in spans:
            continue
        times = format_time_range(*spans[block.block_id])
        _, _, start_ms, end_ms = split_step_heading(block.text or "")
        if start_ms is None or format_time_range(start_ms, end_ms) != times:
            references = outline.environment.get("references", {})
            _print(outline.lines, block, times, references if start_ms is not None else None)
    return "\n".join(outline.lines)


def _print(lines: list[str], heading: TopLevel, times: str, references: References | None) -> None:
    """Write times at the end of a heading; with references, of links, in place of those that its text ends with."""
    is_underlined = heading.tokens[0].markup in ("=", "-")
    at = heading.last - 2 if is_underlined else heading.first
    text, closing = _cut(lines[at], is_underlined)
    content = heading.tokens[1].content
    last = content.rpartition("\n")[2]
    if references is not None and text.endswith(last):
        untimed = without_times(content, heading.text or "", references)
        text = text[: len(text) - len(last)] + untimed.rpartition("\n")[2]
    lines[at] = f"{text} {times}{closing}"


def _cut(line: str, is_underlined: bool) -> Sequence[str]:
    """Return a heading's last line of text without the space at its end, and what closes it."""
    if is_underlined:
        return line.rstrip(" \t"), ""
    end = _CLOSING.search(line)
    start = end.start() if end else len(line)
    return line[:start], line[start:].rstrip(" \t")
