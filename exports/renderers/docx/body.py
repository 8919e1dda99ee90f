"""The body of a DOCX: the blocks of a guide as paragraphs, lists, tables and pictures. Lengths are twips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from exports.renderers.docx.bookmarks import Bookmarks
from exports.renderers.docx.drawings import Drawing, add_picture
from exports.renderers.docx.numbering import BULLETS, MAX_NUMBER, STEP_HANG, Numbering
from exports.renderers.docx.paragraphs import Form, Number, Place, add_paragraph
from exports.renderers.docx.runs import Links, RunLook, add_inline, add_text
from exports.renderers.docx.tables import add_table
from exports.renderers.docx.xml import Element, add
from exports.renderers.heights import TEXT_WIDTH
from exports.renderers.paging import kept_with_next
from exports.renderers.text import is_rtl
from exports.renderers.tree import (
    Code,
    Heading,
    Inline,
    ListOf,
    Node,
    Paragraph,
    PictureAt,
    Quote,
    Rule,
    Step,
    Table,
    plain,
    text_of,
)

WIDTH = round(TEXT_WIDTH * 20)
_STEP_DIGIT = 170
_LIST_ROOM = 340
_LIST_INDENT = 400
_DIGIT = 120
_TIGHT_AFTER = 60
_QUOTE_INDENT = 280
_CODE_INDENT = 170  # within it the border is drawn
_MAX_PORTION_LINES = 100
# Longer code may be split between two pages.
_MAX_WHOLE_LINES, _CODE_COLUMNS = 20, 80
_STYLED_LEVELS = 6
# Half points of code in headings: somewhat smaller than the text around it, as the style of code is in paragraphs.
_CODE_SIZES = {"Heading1": 32, "Heading2": 26, "Heading3": 22}


class Body:
    """Writes the nodes of a guide into an element; `pictures` are by the name of their file. Each heading and step
    has a bookmark."""

    def __init__(
        self, links: Links, numbering: Numbering, pictures: Mapping[str, Drawing], bookmarks: Bookmarks
    ) -> None:
        self._links = links
        self._bookmarks = bookmarks
        self._numbering = numbering
        self._pictures = pictures

    def flow(self, parent: Element, nodes: Sequence[Node], place: Place) -> None:
        """Add the nodes, one after the other."""
        kept = kept_with_next(nodes)
        for index, node in enumerate(nodes):
            # Boxes that touch and are alike become one box to Word; a twip makes them differ.
            is_second = index > 0 and isinstance(node, Code) and isinstance(nodes[index - 1], Code)
            self._node(parent, node, place.kept(index in kept), is_second=is_second)

    def _node(self, parent: Element, node: Node, place: Place, *, is_second: bool) -> None:
        match node:
            case Heading(level, children):
                style = f"Heading{min(level, _STYLED_LEVELS)}"
                self._bookmarks.add(self._inline(parent, style, children, place))
            case Step():
                self._step(parent, node, place)
            case Paragraph(children):
                self._inline(parent, "Normal" if place.bar is None else "Quote", children, place)
            case ListOf():
                self._list(parent, node, place)
            case Quote(inner):
                indent = place.indent + _QUOTE_INDENT
                direction = is_rtl(text_of(node))
                inside = replace(place, indent=indent, bar=place.indent)
                self.flow(parent, inner, inside if direction is None else replace(inside, is_rtl=direction))
            case Code(text, _):
                _add_code(parent, text, place, right=_CODE_INDENT + is_second)
            case Table():
                add_table(parent, node, place, self._links, width=WIDTH - place.indent)
            case PictureAt(placed):
                paragraph = add_paragraph(parent, "Picture", place)
                add_picture(paragraph, self._pictures[placed.name])
            case Rule():
                add_paragraph(parent, "Rule", place)

    def _inline(
        self,
        parent: Element,
        style: str,
        children: tuple[Inline, ...],
        place: Place,
        form: Form | None = None,
        marker: str = "",
    ) -> Element:
        direction = is_rtl(plain(children))
        rtl = place.is_rtl if direction is None else direction
        paragraph = add_paragraph(parent, style, place, form, is_rtl=rtl)
        _add_marker(paragraph, marker)
        look = RunLook(code_size=_CODE_SIZES.get(style, 0))
        add_inline(paragraph, children, self._links, is_rtl=rtl, look=look)
        return paragraph

    def _step(self, parent: Element, step: Step, place: Place) -> None:
        times = step.times
        hanging = max(STEP_HANG, _STEP_DIGIT * (len(str(step.number)) + 1))
        number = Number(self._numbering.step(step.number), 0, hanging)
        form = Form(number=number, end_tab=WIDTH if times else None)
        # In the direction of the document, whatever that of the title, so that all numbers hang on one side.
        style = f"Heading{min(step.level, _STYLED_LEVELS)}"
        look = RunLook("StepTitle", code_size=24, link_size=27)
        paragraph = add_paragraph(parent, style, place, form)
        add_inline(paragraph, step.children, self._links, is_rtl=place.is_rtl, look=look)
        if times:
            add(add(paragraph, "w:r"), "w:tab")
            add_times(paragraph, times, is_rtl=place.is_rtl)
        self._bookmarks.add(paragraph)

    def _list(self, parent: Element, listed: ListOf, place: Place) -> None:
        direction = is_rtl(text_of(listed))
        start, level = listed.start, place.list_depth
        last = (start or 0) + len(listed.items) - 1
        hanging = _LIST_ROOM if start is None else max(_LIST_ROOM, _DIGIT * (len(str(last)) + 1))
        number: Number | None = Number(BULLETS, level, hanging)
        if start is not None:
            is_counted = last <= MAX_NUMBER
            number = (
                Number(self._numbering.ordered(level=level, start=start), level, hanging)
                if is_counted
                else None
            )
        inside = replace(
            place,
            is_rtl=place.is_rtl if direction is None else direction,
            indent=place.indent + max(_LIST_INDENT, hanging + 60),
            list_depth=level + 1,
        )
        for at, item in enumerate(listed.items):
            marker = "" if number else f"{(start or 0) + at}."
            is_last = at == len(listed.items) - 1
            form = Form(number, hanging, after=_TIGHT_AFTER if listed.is_tight and not is_last else None)
            self._item(
                parent,
                item,
                inside,
                form,
                style="ListNumber" if start is not None else "ListBullet",
                marker=marker,
            )

    def _item(
        self, parent: Element, item: Sequence[Node], place: Place, form: Form, *, style: str, marker: str
    ) -> None:
        rest = item
        children: tuple[Inline, ...] = ()
        if item and isinstance(item[0], Paragraph):
            children, rest = item[0].children, item[1:]
        if isinstance(next(iter(rest), None), ListOf):
            form = replace(form, after=_TIGHT_AFTER)
        # A marker has a paragraph of its own before what is none, such as code.
        self._inline(parent, style, children, place.kept(bool(rest)), form, marker)
        for node in rest:
            if isinstance(node, Paragraph):
                self._inline(parent, "ListContinue", node.children, place)
            else:
                self._node(parent, node, place, is_second=False)


def add_times(paragraph: Element, times: str, *, is_rtl: bool) -> None:
    """Add the times of a step to a paragraph of this direction."""
    # A left-to-right mark keeps the ends of the span in their order in a right-to-left line.
    shown = f"\u200e{times}" if is_rtl else times
    add_text(paragraph, shown, is_rtl=False, look=RunLook("StepTime"))


def _add_marker(paragraph: Element, marker: str) -> None:
    """Add a number as text, where it is too great for Word to count with."""
    if marker:
        add_text(paragraph, marker, is_rtl=False, look=RunLook())
        add(add(paragraph, "w:r"), "w:tab")


def _add_code(parent: Element, text: str, place: Place, *, right: int) -> None:
    """Add a paragraph, or several of them that Word draws as one box; code is left-to-right always."""
    lines = text.expandtabs(4).split("\n")
    shown = sum(1 + len(line) // _CODE_COLUMNS for line in lines)
    inside = replace(place, is_rtl=False, indent=place.indent + _CODE_INDENT)
    for begin in range(0, len(lines), _MAX_PORTION_LINES):
        portion = lines[begin : begin + _MAX_PORTION_LINES]
        form = Form(right=right, are_lines_kept=shown <= _MAX_WHOLE_LINES)
        paragraph = add_paragraph(parent, "Code", inside, form)
        for number, line in enumerate(portion):
            if number:
                add(add(paragraph, "w:r"), "w:br")
            add_text(paragraph, line, is_rtl=False, look=RunLook())
