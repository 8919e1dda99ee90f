"""The first page of a long guide: title, facts, the text before the first heading, and the contents. Lengths are
twips."""

from __future__ import annotations

from exports.look import Look
from exports.renderers.docx.body import WIDTH, Body, add_times
from exports.renderers.docx.bookmarks import bookmark_name
from exports.renderers.docx.paragraphs import Form, Place, add_paragraph
from exports.renderers.docx.runs import RunLook, add_text
from exports.renderers.docx.xml import Element, add
from exports.renderers.labels import contents_label, facts_of
from exports.renderers.layout import MAX_DEPTH, first_page_spaces
from exports.renderers.sections import Entry, contents_of, count_opening, section_ids
from exports.renderers.text import is_rtl
from exports.renderers.tree import Guide

_NUMBER_ROOM = 480
_DEPTH_INDENT = 240
_LINE = 320  # the height of a line of the contents down to the hairline below it
# In points: the facts stand one below the other, which takes more room than in the PDF; and as close as lines may be.
_TAKEN, _MIN_PITCH = 52.0, 17.0
# What Word makes the contents of when it is told to update them.
_FIELD = ' TOC \\o "1-6" \\h \\z '


def add_first_page(body: Element, guide: Guide, look: Look, writer: Body, place: Place) -> int:
    """Add the page, at its end an empty paragraph for the properties of its section; return how many nodes of the guide
    stand on it."""
    spaces = first_page_spaces(guide, look, taken=_TAKEN, min_pitch=_MIN_PITCH)
    _add_title(body, guide, spaces.above, place)
    for label, value in facts_of(guide):
        fact = add_paragraph(body, "Facts", place)
        if label:
            add_text(fact, label, is_rtl=place.is_rtl, look=RunLook("StepTime"))
            add(add(fact, "w:r"), "w:tab")
        add_text(fact, value, is_rtl=place.is_rtl, look=RunLook(is_strong=True))
    opening = count_opening(guide.nodes)
    add_paragraph(body, "Rule", place)
    writer.flow(body, guide.nodes[:opening], place)
    _add_contents(body, guide, spaces.pitch, place)
    # LibreOffice shows no page numbers in the footer of a section that ends within the field of the contents.
    add_paragraph(body, "AfterTable", place)
    return opening


def _add_title(body: Element, guide: Guide, above: float, place: Place) -> None:
    direction = is_rtl(guide.title)
    rtl = place.is_rtl if direction is None else direction
    title = add_paragraph(body, "Title", place, Form(before=round(20 * above)), is_rtl=rtl)
    add_text(title, guide.title, is_rtl=rtl, look=RunLook())
    add_paragraph(body, "Bar", place)


def _add_contents(body: Element, guide: Guide, pitch: float, place: Place) -> None:
    """Add a line for each entry, within the field of a table of contents."""
    numbers = {section_id: number for number, section_id in enumerate(section_ids(guide), start=1)}
    entries, word = contents_of(guide), contents_label(guide.language)
    if entries and word:
        add_text(add_paragraph(body, "TOCHeading", place), word, is_rtl=place.is_rtl, look=RunLook())
    above = max(0, round(pitch * 20) - _LINE)
    for at, entry in enumerate(entries):
        line = _add_line(body, entry, place, above, is_odd=at % 2 == 1)
        if at == 0:
            _add_field_part(line, "begin")
            add(add(line, "w:r"), "w:instrText", _FIELD, xml_space="preserve")
            _add_field_part(line, "separate")
        link = add(line, "w:hyperlink", anchor=bookmark_name(numbers[entry.section_id]), history=1)
        _fill_line(link, entry, place)
        if at == len(entries) - 1:
            _add_field_part(line, "end")


def _add_line(body: Element, entry: Entry, place: Place, above: int, *, is_odd: bool) -> Element:
    depth = min(entry.depth, MAX_DEPTH)
    hanging = _NUMBER_ROOM if entry.number else 0
    # Paragraphs that are alike share one border to Word; half a point makes them differ.
    form = Form(hanging=hanging, before=above, right=10 * is_odd, end_tab=WIDTH if entry.times else None)
    indented = Place(place.is_rtl, place.bar_color, indent=depth * _DEPTH_INDENT + hanging)
    return add_paragraph(body, f"TOC{depth + 1}", indented, form)


def _fill_line(link: Element, entry: Entry, place: Place) -> None:
    if entry.number:
        add_text(link, entry.number, is_rtl=place.is_rtl, look=RunLook("ContentsNumber"))
        add(add(link, "w:r"), "w:tab")
    add_text(link, entry.title, is_rtl=place.is_rtl, look=RunLook(is_strong=not entry.number))
    if entry.times:
        add(add(link, "w:r"), "w:tab")
        add_times(link, entry.times, is_rtl=place.is_rtl)


def _add_field_part(line: Element, kind: str) -> None:
    add(add(line, "w:r"), "w:fldChar", fldCharType=kind)
