"""Turn the tree of a document into the elements of a page, whose looks are in `guide.css`."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence

from exports.look import Look
from exports.renderers.compose import PlacedPicture
from exports.renderers.heights import TEXT_WIDTH, stacked
from exports.renderers.labels import contents_label, facts_of, has_first_page, summary_of
from exports.renderers.markup import Html, element, fragment
from exports.renderers.sections import Section, sections_of
from exports.renderers.text import is_rtl
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

# The picture's bytes, and its width and height in pixels.
ShownPicture = tuple[bytes, int, int]
_STYLED = {"strong": "strong", "emph": "em", "strike": "s"}
_RELATION = "noopener noreferrer nofollow"
# Points on paper: what a picture takes at most, and up to which height a step stays on one page. Browsers put a step on
# a new page although it is higher than that too, and leave the one before empty.
_PICTURE_HEIGHT, _MAX_WHOLE_HEIGHT = 240.0, 480.0
# Wider numbers of a list stand inside of it.
_MAX_HANGING_NUMBER = 999


def body_of(guide: Guide, show: Callable[[PlacedPicture], ShownPicture], look: Look) -> Html:
    """Return the body of the page; `show` is called for each picture in the order of the text."""
    opening, sections = sections_of(guide)
    page = _Page(show)
    header = [element("h1", guide.title, dir="auto")]
    if look.logo_png:
        header.insert(0, element("img", class_="logo", src=f"data:image/png;base64,{look.logo_png}", alt=""))
    header.append(_facts(guide))
    contents = _contents(sections, guide.language) if sections else fragment()
    back = element("a", _contents_word(guide.language), class_="back", href="#contents")
    return element(
        "body",
        element("header", *header),
        contents,
        element("main", page.flow(opening), page.sections(sections), back if sections else ""),
        element("footer", look.footer, dir="auto") if look.footer else "",
    )


def _facts(guide: Guide) -> Html:
    """Return what is said of the recording: a list in a long guide, a line in a short one."""
    facts = facts_of(guide) if has_first_page(guide) else []
    if any(fact.label for fact in facts):
        pairs = [element("div", element("dt", label), element("dd", value)) for label, value in facts]
        return element("dl", *pairs, class_="facts")
    summary = summary_of(guide)
    return element("p", summary, class_="summary") if summary else fragment()


def _contents_word(language: str) -> str:
    """Return the word for the contents, a sign for it in a language without words here."""
    return contents_label(language) or "☰"


def _contents(sections: Sequence[Section], language: str) -> Html:
    word = _contents_word(language)
    listed = element("details", element("summary", word), _entries(sections))
    heading = element("p", word, class_="contents-title")
    return element("nav", heading, listed, id="contents", aria_label=contents_label(language) or None)


def _entries(sections: Sequence[Section]) -> Html:
    return element("ol", *(_entry(section) for section in sections), role="list")


def _entry(section: Section) -> Html:
    heading = section.heading
    words = element("span", _inline(_without_links(heading.children)), dir="auto")
    number = element("span", str(heading.number), class_="number") if isinstance(heading, Step) else ""
    link = element("a", number, " " if number else "", words, href=f"#{section.section_id}")
    return element("li", link, _entries(section.sections) if section.sections else "")


class _Page:
    def __init__(self, show: Callable[[PlacedPicture], ShownPicture]) -> None:
        self._show = show

    def sections(self, sections: Sequence[Section]) -> Html:
        return fragment(*(self._section(section) for section in sections))

    def _section(self, section: Section) -> Html:
        is_long = _height_on_paper(section) > _MAX_WHOLE_HEIGHT
        kind = ("step long" if is_long else "step") if isinstance(section.heading, Step) else None
        return element(
            "section",
            _heading(section),
            self.flow(section.nodes),
            self.sections(section.sections),
            id=section.section_id,
            class_=kind,
        )

    def flow(self, nodes: Iterable[Node]) -> Html:
        return fragment(*(self._node(node) for node in nodes))

    def _node(self, node: Node) -> Html:
        match node:
            case Paragraph(children):
                return element("p", _inline(children), dir="auto")
            case ListOf():
                return self._list(node)
            case Quote(inner):
                return element("blockquote", self.flow(inner), dir=_direction(text_of(node)))
            case Code(text, _):
                return element("pre", element("code", text), dir="ltr", tabindex=0)
            case Table():
                return _table(node)
            case PictureAt(placed):
                return self._picture(placed)
            case Rule():
                return element("hr")
            case Heading(_, children) | Step(_, _, children):
                raise ValueError(f"a heading outside of its section: {plain(children)}")

    def _list(self, node: ListOf) -> Html:
        items = [element("li", *self._item(item, is_tight=node.is_tight)) for item in node.items]
        kind = None if node.is_tight else "loose"
        direction = _direction(text_of(node))
        if node.start is None:
            return element("ul", *items, class_=kind, dir=direction)
        if node.start + len(items) - 1 > _MAX_HANGING_NUMBER:
            kind = f"{kind} inside" if kind else "inside"
        start = None if node.start == 1 else node.start
        return element("ol", *items, start=start, class_=kind, dir=direction)

    def _item(self, nodes: Sequence[Node], *, is_tight: bool) -> list[Html]:
        """Return what stands in an item; a paragraph of a tight list stands in it bare."""
        return [
            _inline(node.children) if is_tight and isinstance(node, Paragraph) else self._node(node)
            for node in nodes
        ]

    def _picture(self, placed: PlacedPicture) -> Html:
        content, width, height = self._show(placed)
        address = f"data:{placed.picture.mime_type};base64,{base64.b64encode(content).decode()}"
        kind = "portrait" if height > width else None
        image = element("img", src=address, alt=placed.alt, width=width, height=height)
        return element("figure", image, class_=kind)


def _height_on_paper(section: Section) -> float:
    """Return about how high a section is in points, its heading left out."""
    text = [node for node in section.nodes if not isinstance(node, PictureAt)]
    pictures = len(section.nodes) - len(text)
    inner = sum(map(_height_on_paper, section.sections))
    return stacked(text, TEXT_WIDTH) + pictures * _PICTURE_HEIGHT + inner


def _heading(section: Section) -> Html:
    heading = section.heading
    name = f"h{min(heading.level + 1, 6)}"
    words = element("span", _inline(heading.children), class_="words", dir="auto")
    here = f"#{section.section_id}"
    if not isinstance(heading, Step):
        return element(name, words, " ", element("a", "#", class_="here", href=here, aria_label="#"))
    parts: list[Html | str] = [element("a", str(heading.number), class_="number", href=here), " ", words]
    if heading.start_ms is not None:
        parts += [" ", element("span", heading.times, class_="time", dir="ltr")]
    return element(name, *parts)


def _table(table: Table) -> Html:
    def row(name: str, cells: Sequence[tuple[Inline, ...]], scope: str | None = None) -> Html:
        made = [
            element(name, _inline(cell), class_=alignment or None, scope=scope)
            for cell, alignment in zip(cells, table.alignments, strict=True)
        ]
        return element("tr", *made)

    head = element("thead", row("th", table.header, "col"))
    rows = element("tbody", *(row("td", cells) for cells in table.rows)) if table.rows else ""
    direction = _direction(" ".join(plain(cell) for cell in table.header))
    return element("div", element("table", head, rows, dir=direction), class_="scroll", tabindex=0)


def _inline(children: Iterable[Inline]) -> Html:
    return fragment(*(_inline_node(child) for child in children))


def _inline_node(child: Inline) -> Html | str:
    match child:
        case Text(text):
            return text
        case CodeSpan(text):
            return element("code", text, dir="auto")
        case Break(is_hard):
            return element("br") if is_hard else "\n"
        case Styled(style, inner):
            return element(_STYLED[style], _inline(inner))
        case Link(url, inner):
            # Printed pages show the address of a link, unless it is what the link shows already.
            kind = None if plain(inner) == url else "named"
            return element("a", _inline(inner), href=url, rel=_RELATION, class_=kind)


def _without_links(children: Iterable[Inline]) -> tuple[Inline, ...]:
    """Return the nodes with links replaced by what they show, and line breaks by spaces: a link holds no other."""
    kept: list[Inline] = []
    for child in children:
        match child:
            case Link(_, inner):
                kept += _without_links(inner)
            case Styled(style, inner):
                kept.append(Styled(style, _without_links(inner)))
            case Break():
                kept.append(Text(" "))
            case _:
                kept.append(child)
    return tuple(kept)


def _direction(text: str) -> str | None:
    """Return the direction of lists, quotations and tables, which `dir="auto"` does not look into."""
    found = is_rtl(text)
    return None if found is None else "rtl" if found else "ltr"
