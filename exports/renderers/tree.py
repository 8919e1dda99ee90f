"""A document as a tree of values, from which formats with a layout are rendered.

Text in it is plain: no markup that an author writes is left in it for a renderer to interpret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from exports.renderers.compose import PlacedPicture
from instructions.blocks import format_time_range

_RIGHT_TO_LEFT_LANGUAGES = {"ar", "dv", "fa", "he", "ps", "ur", "yi"}


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class CodeSpan:
    text: str


@dataclass(frozen=True)
class Break:
    is_hard: bool


@dataclass(frozen=True)
class Styled:
    """`style` is strong, emph or strike."""

    style: str
    children: tuple[Inline, ...]


@dataclass(frozen=True)
class Link:
    """`url` is http, https or mailto, at most 2,000 characters."""

    url: str
    children: tuple[Inline, ...]


Inline = Text | CodeSpan | Break | Styled | Link


@dataclass(frozen=True)
class Heading:
    """`level` counts from 1; a heading is at most one level below the heading before it."""

    level: int
    children: tuple[Inline, ...]


@dataclass(frozen=True)
class Step:
    """The heading of a step: its title without number and times; times in milliseconds of the video."""

    level: int
    number: int
    children: tuple[Inline, ...]
    start_ms: int | None
    end_ms: int | None

    @property
    def times(self) -> str:
        """Return such as `0:12–0:18`; empty when the step has no times."""
        return format_time_range(self.start_ms, self.end_ms).strip("()") if self.start_ms is not None else ""


@dataclass(frozen=True)
class Paragraph:
    children: tuple[Inline, ...]


@dataclass(frozen=True)
class ListOf:
    """`start` is None for a list without numbers."""

    start: int | None
    is_tight: bool
    items: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class Quote:
    children: tuple[Node, ...]


@dataclass(frozen=True)
class Code:
    text: str
    language: str


@dataclass(frozen=True)
class Table:
    """Every row has as many cells as `alignments` has entries: left, right, center or empty."""

    alignments: tuple[str, ...]
    header: tuple[tuple[Inline, ...], ...]
    rows: tuple[tuple[tuple[Inline, ...], ...], ...]


@dataclass(frozen=True)
class Rule:
    pass


@dataclass(frozen=True)
class PictureAt:
    placed: PlacedPicture


Node = Heading | Step | Paragraph | ListOf | Quote | Code | Table | Rule | PictureAt


@dataclass(frozen=True)
class Guide:
    """A document ready for layout. `language` is of ISO 639, `region` of ISO 3166 or empty, by their form.

    `length_ms` is the length of the recording; the days are of ISO 8601. What is not known of it is None.
    """

    title: str
    language: str
    region: str
    nodes: tuple[Node, ...]
    pictures: tuple[PlacedPicture, ...]
    length_ms: int | None = None
    recorded_on: str | None = None
    uploaded_on: str | None = None

    @property
    def steps(self) -> list[Step]:
        """Return the steps in the order of the text."""
        return [node for node in self.nodes if isinstance(node, Step)]

    @property
    def is_rtl(self) -> bool:
        """Return whether the document's language is written from right to left."""
        return self.language in _RIGHT_TO_LEFT_LANGUAGES


def plain(children: Iterable[Inline]) -> str:
    """Return the text that inline nodes show, on one line."""
    parts = []
    for child in children:
        match child:
            case Text(text) | CodeSpan(text):
                parts.append(text)
            case Break():
                parts.append(" ")
            case Styled(_, inner) | Link(_, inner):
                parts.append(plain(inner))
    return "".join(parts)


def text_of(node: Node) -> str:
    """Return the text that a node shows, on one line; empty for steps, pictures and rules."""
    match node:
        case Paragraph(children) | Heading(_, children):
            return plain(children)
        case ListOf(_, _, items):
            return " ".join(text_of(child) for item in items for child in item)
        case Quote(inner):
            return " ".join(text_of(child) for child in inner)
        case Code(text, _):
            return text
        case Table(_, header, rows):
            return " ".join(plain(cell) for row in (header, *rows) for cell in row)
    return ""


def count_blocks(nodes: Iterable[Node]) -> int:
    """Return the number of paragraphs, headings, pictures, list items, table cells and lines of code."""
    total = 0
    for node in nodes:
        match node:
            case ListOf(_, _, items):
                total += sum(1 + count_blocks(item) for item in items)
            case Quote(inner):
                total += count_blocks(inner)
            case Code(text, _):
                total += 1 + text.count("\n")
            case Table(alignments, _, rows):
                total += len(alignments) * (1 + len(rows))
            case _:
                total += 1
    return total
