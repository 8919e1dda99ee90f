"""The steps of a guide as they are compared: their words as lines, and their pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from exports.comparison.words import Line, Vocabulary, keys_of
from exports.renderers.compose import PlacedPicture
from exports.renderers.reading import read_guide
from exports.renderers.sections import Section, sections_of
from exports.renderers.tree import (
    Code,
    CodeSpan,
    Guide,
    Inline,
    Link,
    ListOf,
    Node,
    Paragraph,
    Quote,
    Step,
    Styled,
    Table,
    Text,
    plain,
    text_of,
)
from exports.snapshot import Document, Picture
from instructions.block import Block, innermost_steps
from instructions.blocks import parse_blocks


@dataclass(frozen=True)
class GuideStep:
    """A step with what belongs to it alone: without the steps inside of it. `number` is that of its heading."""

    block_id: str
    number: int
    title: Line
    lines: tuple[Line, ...]
    pictures: tuple[PlacedPicture, ...] = ()
    keys: list[str] = field(default_factory=list)


def likeness_of_steps(
    old: Sequence[GuideStep], new: Sequence[GuideStep]
) -> Callable[[GuideStep, GuideStep], float]:
    """Return the function that says how alike the words of a step of each guide are, 0..1: the mean of their titles'
    and of their whole texts' likeness; 1 of the same block in two texts."""
    vocabulary = Vocabulary(step.keys for step in (*old, *new))
    measured = {
        id(step): (vocabulary.measure(step.title.keys), vocabulary.measure(step.keys))
        for step in (*old, *new)
    }

    def likeness(one: GuideStep, other: GuideStep) -> float:
        if one.block_id == other.block_id:
            return 1.0
        pairs = zip(measured[id(one)], measured[id(other)], strict=True)
        return sum(vocabulary.likeness(*pair) for pair in pairs) / 2

    return likeness


def read_steps(document: Document) -> tuple[Guide, list[GuideStep]]:
    """Return the tree of a document without its pictures, and its steps in the order of the text.

    Numbers and times in the headings are no words. Pictures stand in the innermost step around their block; those
    outside of all steps are left out.
    """
    guide = read_guide(replace(document, pictures=()))
    blocks = parse_blocks(document.markdown)
    pictures = _pictures_by_step(document.pictures, blocks)
    _, sections = sections_of(guide)
    read = [_step(*found) for found in _steps_in(sections)]
    ids = [block.block_id for block in blocks if block.kind == "step"]
    return guide, [
        replace(step, block_id=block_id, pictures=tuple(pictures.get(block_id, ())))
        for step, block_id in zip(read, ids, strict=True)
    ]


def _pictures_by_step(pictures: Iterable[Picture], blocks: Sequence[Block]) -> dict[str, list[PlacedPicture]]:
    """Return the pictures by the id of their step, in the order of the text."""
    around = zip(blocks, innermost_steps(blocks), strict=True)
    places = {block.block_id: (block, step) for block, step in around if step and block.block_id}
    standing = [
        (*places[picture.block_id or ""], picture) for picture in pictures if picture.block_id in places
    ]
    found: dict[str, list[PlacedPicture]] = {}
    for _, step, picture in sorted(standing, key=lambda each: each[0].end_offset):
        of_step = found.setdefault(step.block_id, [])
        of_step.append(PlacedPicture(f"picture {len(of_step) + 1} of a step", picture, picture.alt))
    return found


def _steps_in(sections: Iterable[Section]) -> Iterator[tuple[Step, list[Node]]]:
    """Yield each step with the nodes of its own: also those below headings in it that begin no step."""
    for section in sections:
        if isinstance(section.heading, Step):
            yield section.heading, list(_own_nodes(section))
        yield from _steps_in(section.sections)


def _own_nodes(section: Section) -> Iterator[Node]:
    yield from section.nodes
    for inner in section.sections:
        if not isinstance(inner.heading, Step):
            yield inner.heading
            yield from _own_nodes(inner)


def _step(step: Step, nodes: Iterable[Node]) -> GuideStep:
    title = _line(step.children)
    lines = tuple(line for node in nodes for line in _lines(node))
    return GuideStep("", step.number, title, lines, keys=keys_of([title, *lines]))


def _line(children: Sequence[Inline]) -> Line:
    return Line(plain(children), exact=tuple(_exact_parts(children, 0)))


def _exact_parts(children: Iterable[Inline], at: int) -> Iterator[tuple[int, int]]:
    """Yield where code stands in the text of inline nodes that begins at `at`: each letter and sign of it counts.

    Code of letters alone is mostly the name of a button, which another guide has in bold.
    """
    for child in children:
        match child:
            case CodeSpan(text) if not text.replace(" ", "").isalpha():
                yield at, at + len(text)
            case Styled(_, inner) | Link(_, inner):
                yield from _exact_parts(inner, at)
        at += len(plain([child]))


def _lines(node: Node) -> Iterator[Line]:
    """Yield what a node shows, line by line; nothing for rules and pictures."""
    match node:
        case Paragraph(children):
            yield _line(children)
        case ListOf(_, _, items):
            for item in items:
                for line in (line for inner in item for line in _lines(inner)):
                    yield replace(line, kind="item") if line.kind == "text" else line
        case Quote(inner_nodes):
            for inner in inner_nodes:
                yield from _lines(inner)
        case Code(text, _):
            yield from (Line(line, "code") for line in text.split("\n") if line.strip())
        case Table(_, header, rows):
            for row in (header, *rows):
                yield _line([part for cell in row for part in (*cell, Text("   "))][:-1])
        case _:
            if text := text_of(node):
                yield Line(text)
