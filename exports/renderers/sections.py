"""The sections of a guide: each heading and step with what belongs to it, and an id to link to; and what stands on the
first page of a long one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from exports.renderers.tree import Guide, Heading, ListOf, Node, Paragraph, Step, plain, text_of

# Text before the first heading that stands on the first page.
_MAX_OPENING_CHARACTERS = 600
# Some fifteen pages; typst takes 200 kB of memory for each.
MAX_ENTRIES = 400


@dataclass
class Section:
    """A heading or step, and what follows up to the next of its level or above.

    `section_id` is such as `step-3` or `section-2`, and unique in the guide.
    """

    section_id: str
    heading: Heading | Step
    nodes: list[Node] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)


@dataclass(frozen=True)
class Entry:
    """A line of the contents: a step with its number and times, or a heading, for which both are empty. `depth` counts
    the headings around it that are listed."""

    section_id: str
    title: str
    number: str
    times: str
    depth: int


def contents_of(guide: Guide) -> list[Entry]:
    """Return the contents: the steps, and the headings that stand in none.

    Of a guide with more than `MAX_ENTRIES` of them the deepest are left out, and all where that does not do.
    """
    entries = _entries(sections_of(guide)[1], 0, is_in_step=False)
    while len(entries) > MAX_ENTRIES:
        deepest = max(entry.depth for entry in entries)
        entries = [entry for entry in entries if entry.depth < deepest]
    return entries


def _entries(sections: Sequence[Section], depth: int, *, is_in_step: bool) -> list[Entry]:
    found = []
    for section in sections:
        heading = section.heading
        is_step = isinstance(heading, Step)
        is_listed = is_step or not is_in_step
        if is_listed:
            number, times = (str(heading.number), heading.times) if isinstance(heading, Step) else ("", "")
            found.append(Entry(section.section_id, plain(heading.children), number, times, depth))
        found += _entries(section.sections, depth + is_listed, is_in_step=is_in_step or is_step)
    return found


def count_opening(nodes: Sequence[Node]) -> int:
    """Return how many nodes before the first heading or step stand on the first page: all, if they are short text."""
    opening, length = 0, 0
    for node in nodes:
        if isinstance(node, Heading | Step):
            break
        if not isinstance(node, Paragraph | ListOf):
            return 0
        opening, length = opening + 1, length + len(text_of(node))
    return opening if length <= _MAX_OPENING_CHARACTERS else 0


def sections_of(guide: Guide) -> tuple[list[Node], list[Section]]:
    """Return the nodes before the first heading or step, and the sections of the highest level."""
    opening: list[Node] = []
    top: list[Section] = []
    open_sections: list[Section] = []
    ids = section_ids(guide)
    for node in guide.nodes:
        if not isinstance(node, Heading | Step):
            (open_sections[-1].nodes if open_sections else opening).append(node)
            continue
        while open_sections and open_sections[-1].heading.level >= node.level:
            open_sections.pop()
        section = Section(next(ids), node)
        (open_sections[-1].sections if open_sections else top).append(section)
        open_sections.append(section)
    return opening, top


def section_ids(guide: Guide) -> Iterator[str]:
    """Yield the id of each heading and step: steps by their number, and a count where several have the same."""
    headings = 0
    by_number: dict[int, int] = {}
    for node in guide.nodes:
        if isinstance(node, Heading):
            headings += 1
            yield f"section-{headings}"
        elif isinstance(node, Step):
            seen = by_number[node.number] = by_number.get(node.number, 0) + 1
            yield f"step-{node.number}" if seen == 1 else f"step-{node.number}-{seen}"
