"""Turn the tree of a document into the JSON that `guide.typ` lays out.

That includes the size of pictures, what must stay on one page with them, and the type size of tables.
Lengths are points (1/72 inch).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from exports.look import ACCENT, Look
from exports.renderers import fonts
from exports.renderers.heights import (
    LINE,
    TEXT_WIDTH,
    count_lines,
    first_page_height,
    first_title_size,
    opening_height,
)
from exports.renderers.labels import contents_label, facts_of, has_first_page, page_label, summary_of
from exports.renderers.paging import PAGE_HEIGHTS, kept_with_next, plan_sizes
from exports.renderers.sections import Entry, contents_of, count_opening, section_ids
from exports.renderers.text import drawable, is_rtl, pieces
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

Json = dict[str, Any]

_PAPERS = {"A4": "a4", "LETTER": "us-letter"}
LOGO_NAME = "images/logo.png"
_MAX_LOGO_WIDTH, _MAX_LOGO_HEIGHT = 180.0, 36.0
_POINTS_PER_PIXEL = 0.75
_MAX_FOOTER_CHARACTERS = 80
# The contents: the least and the greatest distance of their lines, and what titles have of the text's width.
_MIN_PITCH, _MAX_PITCH = 15.5, 34.0
# The title of a guide with few steps stands lower.
_ABOVE_TITLE, _LOWERED, _MAX_LOWERED = 46.0, 0.4, 90.0
_CONTENTS_SIZE, _CONTENTS_WIDTH, _CONTENTS_SLACK = 10.5, 340.0, 8.0
MAX_DEPTH = 3

# A row of a table with more lines may be split between two pages.
_MAX_ROW_LINES = 20
# Longer words may break anywhere.
_MAX_WORD_CHARACTERS = 30
_MAX_CODE_CHARACTERS = 40
# Typst takes time quadratic in the parts of a paragraph; a block of code is one paragraph to it.
_MAX_PORTION_WEIGHT = 1000
_MAX_PORTION_LINES = 100


def lay_out(guide: Guide, sizes: Mapping[str, tuple[int, int]], look: Look) -> Json:
    """Return the JSON for `guide.typ`; `sizes` are the pictures' widths and heights in pixels by name, with that of
    `LOGO_NAME` where the look has a logo."""
    title = drawable(guide.title)
    has_first = has_first_page(guide)
    opening = count_opening(guide.nodes) if has_first else 0
    layout = _Layout(picture_sizes(guide, sizes, look))
    return {
        "title": pieces(title, _MAX_WORD_CHARACTERS),
        "plain_title": title,
        "footer": footer_text(title),
        "notice": pieces(drawable(look.footer or ""), _MAX_WORD_CHARACTERS),
        "notice_is_rtl": is_rtl(look.footer or ""),
        "paper": _PAPERS[look.paper_size],
        "accent": look.accent_color or ACCENT,
        "logo": _logo(sizes.get(LOGO_NAME)),
        "first": _first_page(guide, look, layout.flow(guide.nodes[:opening])) if has_first else None,
        "summary": summary_of(guide),
        "language": guide.language,
        "region": guide.region or None,
        "is_rtl": guide.is_rtl,
        "title_is_rtl": is_rtl(title),
        "page_label": page_label(guide.language),
        "fonts": fonts.text_families(guide.language, guide.region),
        "code_fonts": [fonts.CODE_FAMILY, *fonts.text_families(guide.language, guide.region)],
        "nodes": layout.sections(guide)[opening:],
    }


def _first_page(guide: Guide, look: Look, opening: list[Json]) -> Json:
    """Return what the first page has beside the title: facts, text, and where the lines of the contents stand."""
    first = first_page_spaces(guide, look)
    return {
        "above": first.above,
        "title_size": first_title_size(guide.title),
        "facts": [[drawable(part) for part in fact] for fact in facts_of(guide)],
        "opening": opening,
        "contents": contents_label(guide.language) if first.pitch else None,
        "pitch": first.pitch,
    }


class FirstPageSpaces(NamedTuple):
    """What is left free above the title, and how far apart the lines of the contents stand; 0 without contents."""

    above: float
    pitch: float


def first_page_spaces(
    guide: Guide, look: Look, *, taken: float = 0.0, min_pitch: float = _MIN_PITCH
) -> FirstPageSpaces:
    """Return the spaces with which the contents fill the first page, or a few.

    `taken` is what stands above them beyond what stands there in the PDF.
    """
    entries, page_height = contents_of(guide), PAGE_HEIGHTS[look.paper_size] - _CONTENTS_SLACK
    opening = guide.nodes[: count_opening(guide.nodes)]
    room = page_height - taken - _ABOVE_TITLE - first_page_height(guide.title, opening, _logo_height(look))
    wrapped = [count_lines(entry.title, _CONTENTS_WIDTH, _CONTENTS_SIZE) - 1 for entry in entries]
    room -= sum(wrapped) * LINE
    if not entries:
        return FirstPageSpaces(_ABOVE_TITLE + _MAX_LOWERED, 0.0)
    while room / len(entries) < min_pitch:
        room += page_height
    pitch = min(_MAX_PITCH, room / len(entries))
    spare = room - pitch * len(entries)
    return FirstPageSpaces(round(_ABOVE_TITLE + min(_MAX_LOWERED, _LOWERED * spare), 1), round(pitch, 1))


def _logo_height(look: Look) -> float:
    return _MAX_LOGO_HEIGHT if look.logo_png else 0.0


def _logo(size: tuple[int, int] | None) -> Json | None:
    if size is None:
        return None
    width, height = logo_size(*size)
    return {"file": LOGO_NAME, "width": width, "height": height}


def logo_size(width: int, height: int) -> tuple[float, float]:
    """Return width and height of a logo of so many pixels."""
    scale = min(_POINTS_PER_PIXEL, _MAX_LOGO_WIDTH / width, _MAX_LOGO_HEIGHT / height)
    return round(width * scale, 2), round(height * scale, 2)


def footer_text(title: str) -> str:
    """Return the title, cut to fit beside the number of the page."""
    if len(title) <= _MAX_FOOTER_CHARACTERS:
        return title
    return title[: _MAX_FOOTER_CHARACTERS - 1].rstrip() + "…"


class _Layout:
    def __init__(self, sizes: Mapping[str, tuple[float, float]]) -> None:
        self._sizes = sizes

    def flow(self, nodes: Sequence[Node]) -> list[Json]:
        """Return the nodes as typst gets them."""
        kept = kept_with_next(nodes)
        return [{**self._node(node), "keep": index in kept} for index, node in enumerate(nodes)]

    def sections(self, guide: Guide) -> list[Json]:
        """Return all nodes, the headings of the contents with what is listed of them."""
        listed = {entry.section_id: entry for entry in contents_of(guide)}
        ids = section_ids(guide)
        laid = self.flow(guide.nodes)
        for node in laid:
            if node["k"] in ("step", "heading"):
                node["entry"] = _entry(listed.get(next(ids)))
        return laid

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
                width, height = self._sizes[placed.name]
                alt = drawable(placed.alt)
                return {"k": "picture", "file": placed.name, "alt": alt, "width": width, "height": height}
            case Rule():
                return {"k": "rule"}


def _entry(entry: Entry | None) -> Json | None:
    if entry is None:
        return None
    title = drawable(entry.title)
    return {
        "number": entry.number,
        "title": pieces(title, _MAX_WORD_CHARACTERS),
        "rtl": is_rtl(title),
        "time": entry.times,
        "depth": min(entry.depth, MAX_DEPTH),
    }


def _step(step: Step) -> Json:
    return {
        "k": "step",
        "level": step.level,
        "number": str(step.number),
        "time": step.times,
        **_directed(step.children),
    }


def _directed(children: tuple[Inline, ...]) -> Json:
    return {"c": _portions(children), "rtl": is_rtl(plain(children))}


def _code(text: str) -> Json:
    # Fonts have no glyph for a tab; four columns are common in editors.
    drawn = [drawable(line.expandtabs(4)) for line in text.split("\n")]
    lines = [pieces(line, _MAX_CODE_CHARACTERS) for line in drawn]
    portions = [lines[at : at + _MAX_PORTION_LINES] for at in range(0, len(lines), _MAX_PORTION_LINES)]
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
    # No column is narrower than its share; a character takes about 0.55 of the type size.
    share = (TEXT_WIDTH / columns - 2 * inset) / (0.55 * size)
    max_length = max(2, min(_MAX_WORD_CHARACTERS, int(share)))
    max_cell_length = max(len(plain(cell)) for row in (table.header, *table.rows) for cell in row)
    return {
        "k": "table",
        "align": [alignment or "start" for alignment in table.alignments],
        "size": size,
        "inset": inset,
        "breakable": max_cell_length > _MAX_ROW_LINES * max_length,
        # A header of a page would stand on each page and leave no room.
        "repeat": max(len(plain(cell)) for cell in table.header) <= _MAX_ROW_LINES * max_length,
        "header": [_portions(cell, max_length) for cell in table.header],
        "rows": [[_portions(cell, max_length) for cell in row] for row in table.rows],
        "rtl": is_rtl(" ".join(plain(cell) for cell in table.header)),
    }


def _portions(children: Iterable[Inline], max_length: int = _MAX_WORD_CHARACTERS) -> list[list[Json]]:
    """Return inline nodes in portions, mostly one, each of which is typeset as a paragraph of its own."""
    portions: list[list[Json]] = [[]]
    weight = 0
    for child in children:
        for laid in _inline(child, max_length):
            weight += _weight(laid)
            if weight > _MAX_PORTION_WEIGHT and portions[-1]:
                portions.append([])
                weight = _weight(laid)
            portions[-1].append(laid)
    return portions


def _inline(child: Inline, max_length: int) -> list[Json]:
    """Return one node, or several of its kind when it holds more than a portion may."""
    match child:
        case Text(text):
            return [{"k": "text", "t": pieces(drawable(text), max_length)}]
        case CodeSpan(text):
            return [{"k": "code", "t": pieces(drawable(text), max_length)}]
        case Break(is_hard):
            return [{"k": "hard" if is_hard else "soft"}]
        case Styled(style, inner):
            return [{"k": style, "c": portion} for portion in _portions(inner, max_length)]
        case Link(url, inner):
            return [{"k": "link", "url": url, "c": portion} for portion in _portions(inner, max_length)]


def _weight(laid: Json) -> int:
    return len(laid.get("t", ())) + 1 + sum(_weight(inner) for inner in laid.get("c", ()))


def picture_sizes(
    guide: Guide, pixels: Mapping[str, tuple[int, int]], look: Look
) -> dict[str, tuple[float, float]]:
    """Return width and height of each picture as it is shown, by its name in the guide; `pixels` are the same of its
    file."""
    if has_first_page(guide):
        nodes, opening = guide.nodes[count_opening(guide.nodes) :], 0.0
    else:
        nodes, opening = guide.nodes, opening_height(guide.title, summary_of(guide), _logo_height(look))
    page_height = PAGE_HEIGHTS[look.paper_size]
    return plan_sizes(nodes, kept_with_next(nodes), pixels, page_height=page_height, opening=opening)
