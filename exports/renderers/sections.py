"""The sections of a guide: each heading and step with what belongs to it, and an id to link to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from exports.renderers.tree import Guide, Heading, Node, Step


@dataclass
class Section:
    """A heading or step, and what follows up to the next of its level or above.

    `section_id` is such as `step-3` or `section-2`, and unique in the guide.
    """

    section_id: str
    heading: Heading | Step
    nodes: list[Node] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)


def sections_of(guide: Guide) -> tuple[list[Node], list[Section]]:
    """Return the nodes before the first heading or step, and the sections of the highest level."""
    opening: list[Node] = []
    top: list[Section] = []
    open_sections: list[Section] = []
    section_ids = _section_ids(guide)
    for node in guide.nodes:
        if not isinstance(node, Heading | Step):
            (open_sections[-1].nodes if open_sections else opening).append(node)
            continue
        while open_sections and open_sections[-1].heading.level >= node.level:
            open_sections.pop()
        section = Section(next(section_ids), node)
        (open_sections[-1].sections if open_sections else top).append(section)
        open_sections.append(section)
    return opening, top


def _section_ids(guide: Guide) -> Iterator[str]:
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
