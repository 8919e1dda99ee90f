"""Paragraphs and where they stand. Lengths are twips (1/20 point)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from exports.renderers.docx.xml import Element, add

# Word draws a border at most 31 points from the text (ECMA-376 part 1, 17.18.2).
_MAX_BORDER_POINTS = 31


@dataclass(frozen=True)
class Place:
    """Where a block stands: `indent` from the edge at which lines begin, how deep in lists, the edge of the quotation
    around it and the colour of its bar as `RRGGBB`, whether it is kept on one page with what follows it, and the
    direction of text that has none."""

    is_rtl: bool
    bar_color: str
    indent: int = 0
    list_depth: int = 0
    bar: int | None = None
    is_kept: bool = False

    def kept(self, also: bool = True) -> Place:
        """Return this place, kept with what follows it."""
        return replace(self, is_kept=self.is_kept or also)


@dataclass(frozen=True)
class Number:
    """The number of a paragraph: instance and level of its definition. `hanging` is the room before its text."""

    instance: int
    level: int
    hanging: int


@dataclass(frozen=True)
class Form:
    """What a paragraph has beside its style. `before`, `after` and `right` are None for the style's own; `end_tab` is
    where a tab puts text that ends there."""

    number: Number | None = None
    hanging: int = 0
    before: int | None = None
    after: int | None = None
    right: int = 0
    end_tab: int | None = None
    align: str = ""
    are_lines_kept: bool = False


def add_paragraph(
    parent: Element, style: str, place: Place, form: Form | None = None, *, is_rtl: bool | None = None
) -> Element:
    """Add a paragraph with the properties in the order of the schema (ECMA-376 part 1, 17.3.1.26).

    In a right-to-left paragraph `left` is where its lines begin, the right (17.3.1.12).
    """
    form = form or Form()
    rtl = place.is_rtl if is_rtl is None else is_rtl
    paragraph = add(parent, "w:p")
    properties = add(paragraph, "w:pPr")
    add(properties, "w:pStyle", val=style)
    if place.is_kept:
        add(properties, "w:keepNext")
    if place.is_kept or form.are_lines_kept:
        add(properties, "w:keepLines")
    if form.number:
        numbered = add(properties, "w:numPr")
        add(numbered, "w:ilvl", val=form.number.level)
        add(numbered, "w:numId", val=form.number.instance)
    _add_bar(properties, place, form, is_rtl=rtl)
    if form.end_tab is not None:
        tabs = add(properties, "w:tabs")
        add(tabs, "w:tab", val="right", pos=form.end_tab)
    if rtl:
        add(properties, "w:bidi")
    spacing = {"before": form.before, "after": form.after}
    if found := {side: length for side, length in spacing.items() if length is not None}:
        add(properties, "w:spacing", **found)
    hanging = form.number.hanging if form.number else form.hanging
    if place.indent or hanging or form.right:
        add(properties, "w:ind", left=place.indent, right=form.right, hanging=hanging)
    if form.align:
        add(properties, "w:jc", val=_aligned(form.align, is_rtl=rtl))
    return paragraph


def _add_bar(properties: Element, place: Place, form: Form, *, is_rtl: bool) -> None:
    """Add the bar of a quotation where Word can draw it that far from the text."""
    if place.bar is None:
        return
    hanging = form.number.hanging if form.number else form.hanging
    space = (place.indent - hanging - place.bar) // 20
    if 0 <= space <= _MAX_BORDER_POINTS:
        side = "w:right" if is_rtl else "w:left"
        borders = add(properties, "w:pBdr")
        add(borders, side, val="single", sz=18, space=space, color=place.bar_color)


def _aligned(side: str, *, is_rtl: bool) -> str:
    """Return the alignment as Word has it: in right-to-left paragraphs its `left` is the right (17.3.1.13)."""
    return {"left": "right", "right": "left"}.get(side, side) if is_rtl else side
