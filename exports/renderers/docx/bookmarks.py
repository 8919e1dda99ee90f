"""Bookmarks, to which the contents lead (ECMA-376 part 1, 17.13.6)."""

from __future__ import annotations

from exports.renderers.docx.xml import Element, add


class Bookmarks:
    """Gives the headings of a guide their bookmarks, numbered in the order of the text."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, paragraph: Element) -> None:
        """Put the next bookmark around what stands in a paragraph."""
        self._count += 1
        start = add(paragraph, "w:bookmarkStart", id=self._count, name=bookmark_name(self._count))
        paragraph.insert(1, start)  # behind the properties
        add(paragraph, "w:bookmarkEnd", id=self._count)


def bookmark_name(number: int) -> str:
    """Return the name of a bookmark, which Word hides in its list of them; numbers count from 1."""
    return f"_Toc{number:09}"
