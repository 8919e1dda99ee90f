"""Turns the tree of a document into the JSON that `guide.typ` lays out.

Decided here: how large a picture stands, what must stay on one page with it, and how a table fits.
Lengths are points (1/72 inch).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from exports.renderers import fonts
from exports.renderers.labels import page_label, step_count
from exports.renderers.text import DRAWABLE, is_rtl, pieces
from exports.renderers.tree import (
    Break,
    Code,
    CodeSpan,
    Guide,
    Heading,
    Inline,
    Link,
    ListOf,
    Node,
    Paragraph,
    PictureAt,
    Quote,
    Rule,
    Step,
    Styled,
    Table,
    Text,
    plain,
    text_of,
)
from instructions.blocks import format_time_range

Json = dict[str, Any]

TEXT_WIDTH = 468.0
# Two steps with a landscape picture and two or three lines each fit on one A4 page.
_LANDSCAPE_HEIGHT = 225.0
_PORTRAIT_HEIGHT = 320.0
_POINTS_PER_PIXEL = 0.75
# Text that is short enough to be moved to the next page together with its picture.
_CHARACTERS_KEPT_TOGETHER = 900
_FOOTER_CHARACTERS = 80
_RIGHT_TO_LEFT_LANGUAGES = {"ar", "dv", "fa", "he", "ps", "ur", "yi"}

# A row of a table with more lines than these may be split between two pages.
_LINES_IN_A_WHOLE_ROW = 20
_WORD_CHARACTERS = 30
_CODE_CHARACTERS = 40
# A paragraph, and a block of code is one to typst, costs its parts squared.
_WEIGHT_OF_A_PORTION = 1000
_LINES_IN_A_PORTION = 100


def lay_out(guide: Guide, sizes: Mapping[str, tuple[int, int]]) -> Json:
    """`sizes` are the pictures' widths and heights in pixels by name."""
    title = guide.title.translate(DRAWABLE)
    footer = title if len(title) <= _FOOTER_CHARACTERS else title[: _FOOTER_CHARACTERS - 1].rstrip() + "…"
    return {
        "title": pieces(title, _WORD_CHARACTERS),
        "plain_title": title,
        "footer": footer,
        "summary": _summary(guide),
        "language": guide.language,
        "region": guide.region or None,
        "is_rtl": guide.language in _RIGHT_TO_LEFT_LANGUAGES,
        "title_is_rtl": is_rtl(title),
        "page_label": page_label(guide.language),
        "fonts": fonts.text_families(guide.language, guide.region),
        "code_fonts": [fonts.CODE_FAMILY, *fonts.text_families(guide.language, guide.region)],
        "nodes": _Layout(sizes).flow(guide.nodes),
    }


def _summary(guide: Guide) -> str:
    ends = [step.end_ms or step.start_ms or 0 for step in guide.steps]
    length = format_time_range(max(ends)).strip("()") if any(ends) else ""
    return " · ".join(part for part in (step_count(len(ends), guide.language), length) if part)


class _Layout:
    def __init__(self, sizes: Mapping[str, tuple[int, int]]) -> None:
        self._sizes = sizes

    def flow(self, nodes: Sequence[Node]) -> list[Json]:
        kept = _kept_with_next(nodes)
        return [{**self._node(node), "keep": index in kept} for index, node in enumerate(nodes)]

    def _node(self, node: Node) -> Json:
        match node:
            case Heading(level, children):
                return {"k": "heading", "level": level, **_directed(children)}
            case Step():
                return _step(node)
            case Paragraph(children):
                return {"k": "par", **_directed(children)}
            case ListOf(start, is_tight, items):
                rtl, laid = is_rtl(text_of(node)), [self.flow(item) for item in items]
                return {"k": "list", "start": start, "tight": is_tight, "items": laid, "rtl": rtl}
            case Quote(inner):
                return {"k": "quote", "c": self.flow(inner), "rtl": is_rtl(text_of(node))}
            case Code(text, _):
                return _code(text)
            case Table():
                return _table(node)
            case PictureAt(placed):
                width, height = _picture_size(*self._sizes[placed.name])
                alt = placed.alt.translate(DRAWABLE)
                return {"k": "picture", "file": placed.name, "alt": alt, "width": width, "height": height}
            case Rule():
                return {"k": "rule"}


def _step(step: Step) -> Json:
    times = format_time_range(step.start_ms, step.end_ms).strip("()") if step.start_ms is not None else ""
    return {
        "k": "step",
        "level": step.level,
        "number": str(step.number),
        "time": times,
        **_directed(step.children),
    }


def _directed(children: tuple[Inline, ...]) -> Json:
    return {"c": _portions(children), "rtl": is_rtl(plain(children))}


def _code(text: str) -> Json:
    # A tab is not a character that fonts draw; four columns is what most terminals and editors show.
    lines = [pieces(line.expandtabs(4).translate(DRAWABLE), _CODE_CHARACTERS) for line in text.split("\n")]
    portions = [lines[at : at + _LINES_IN_A_PORTION] for at in range(0, len(lines), _LINES_IN_A_PORTION)]
    return {
        "k": "code",
        "portions": [
            {
                "text": "\n".join("".join(line) for line in portion),
                "broken": {
                    str(number): line for number, line in enumerate(portion, start=1) if len(line) > 1
                },
            }
            for portion in portions
        ],
    }


def _table(table: Table) -> Json:
    columns = len(table.alignments)
    size, inset = (9.5, 7.0) if columns <= 5 else (8.0, 4.0) if columns <= 8 else (7.0, 3.0)
    # No column gets narrower than its share; a character takes about 0.55 of the type size.
    share = (TEXT_WIDTH / columns - 2 * inset) / (0.55 * size)
    longest = max(2, min(_WORD_CHARACTERS, int(share)))
    cells = [table.header, *table.rows]
    return {
        "k": "table",
        "align": [alignment or "start" for alignment in table.alignments],
        "size": size,
        "inset": inset,
        "breakable": max(len(plain(cell)) for row in cells for cell in row) > _LINES_IN_A_WHOLE_ROW * longest,
        "header": [_portions(cell, longest) for cell in table.header],
        "rows": [[_portions(cell, longest) for cell in row] for row in table.rows],
        "rtl": is_rtl(" ".join(plain(cell) for cell in table.header)),
    }


def _portions(children: Iterable[Inline], longest: int = _WORD_CHARACTERS) -> list[list[Json]]:
    """Inline nodes in portions that are typeset as paragraphs of their own; nearly always one."""
    portions: list[list[Json]] = [[]]
    weight = 0
    for child in children:
        for laid in _inline(child, longest):
            weight += _weight(laid)
            if weight > _WEIGHT_OF_A_PORTION and portions[-1]:
                portions.append([])
                weight = _weight(laid)
            portions[-1].append(laid)
    return portions


def _inline(child: Inline, longest: int) -> list[Json]:
    """One node, or several alike when there is more in it than a portion may hold."""
    match child:
        case Text(text):
            return [{"k": "text", "t": pieces(text.translate(DRAWABLE), longest)}]
        case CodeSpan(text):
            return [{"k": "code", "t": pieces(text.translate(DRAWABLE), longest)}]
        case Break(is_hard):
            return [{"k": "hard" if is_hard else "soft"}]
        case Styled(style, inner):
            return [{"k": style, "c": portion} for portion in _portions(inner, longest)]
        case Link(url, inner):
            return [{"k": "link", "url": url, "c": portion} for portion in _portions(inner, longest)]


def _weight(laid: Json) -> int:
    return len(laid.get("t", ())) + 1 + sum(_weight(inner) for inner in laid.get("c", ()))


def _picture_size(width: int, height: int) -> tuple[float, float]:
    """At most what 96 pixels an inch give, within the text's width and a height that leaves room for text."""
    highest = _PORTRAIT_HEIGHT if height > width else _LANDSCAPE_HEIGHT
    scale = min(_POINTS_PER_PIXEL, TEXT_WIDTH / width, highest / height)
    return round(width * scale, 2), round(height * scale, 2)


def _kept_with_next(nodes: Sequence[Node]) -> set[int]:
    """Indices of what leads to a picture, when it is short, and of paragraphs that end in a colon."""
    kept: set[int] = set()
    begin = 0
    for index, node in enumerate(nodes):
        match node:
            case Heading() | Step():
                begin = index + 1
            case PictureAt():
                run = range(begin, index)
                if sum(len(text_of(nodes[at])) for at in run) <= _CHARACTERS_KEPT_TOGETHER:
                    kept.update(run)
                begin = index + 1
            case Paragraph(children) if plain(children).rstrip().endswith((":", "：")):
                kept.add(index)
    return kept - {len(nodes) - 1}
