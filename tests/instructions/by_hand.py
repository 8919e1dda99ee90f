"""Step edits as somebody would make them by hand who moves blocks of text about: lists, no parser, no marker.

A second account of what each operation means, by which the engine's is held. It numbers blocks the way the engine asks
for ids: a new heading first, then the blocks below it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from instructions import edits

FIRST_NEW_ID = 1000


class Impossible(Exception):
    """The operation cannot be made."""


@dataclass(frozen=True)
class Part:
    """A block, or the definition of a link (which has a label and no id).

    `form` is how a step's heading begins ("Step 4:"). A definition `is_over` when the text around it is gone: it stays
    only where it is used.
    """

    id: str
    text: str
    level: int = 9
    form: str = ""
    title: str = ""
    label: str = ""
    is_over: bool = False

    @property
    def is_heading(self) -> bool:
        return self.level < 9


def heading(id: str, level: int, form: str, title: str) -> Part:
    text = f"{'#' * level} {form} {title}".replace("  ", " ")
    return Part(id, text, level, form, title)


class ByHand:
    """A document as a list of parts, and what the operations make of it."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.next_id = 1
        self.parts = self.with_ids(parts)
        self.next_id = FIRST_NEW_ID

    def new_id(self) -> str:
        self.next_id += 1
        return str(uuid.UUID(int=self.next_id - 1))

    def ids(self, indexes: Iterable[int]) -> list[str]:
        return [self.parts[at].id for at in indexes if self.parts[at].id]

    def runs(self) -> list[list[str]]:
        """Steps that follow one another at one level, by two and three."""
        follows = {}
        for step in self.steps():
            end = self.section(step)[1]
            if end in self.steps() and self.parts[end].level == self.parts[step].level:
                follows[self.parts[step].id] = self.parts[end].id
        pairs = [[one, other] for one, other in follows.items()]
        return pairs + [[*pair, follows[pair[1]]] for pair in pairs if pair[1] in follows]

    def places_to_split(self) -> list[tuple[str, str]]:
        """Each step with each block that lies directly in it."""
        inside = ((self.steps_around(at)[-1:], at) for at in range(len(self.parts)) if self.parts[at].id)
        return [(self.parts[around[0]].id, self.parts[at].id) for around, at in inside if around]

    def make(self, operation: edits.Operation, written: Sequence[Part]) -> None:
        """Make one operation; `written` is its Markdown as parts without ids. Raises Impossible."""
        match operation:
            case edits.SetTitle(id, title):
                at = self.at(id)
                old = self.parts[at]
                if not old.is_heading:
                    raise Impossible
                self.parts[at] = heading(id, old.level, old.form if self.is_step(at) else "", title)
            case edits.ReplaceBlock(id, _):
                self.replace(id, list(written))
            case edits.InsertStep(after, title, _, _):
                self.insert(after, title, written)
            case edits.DeleteStep(id):
                start, end = self.section(self.step(id))
                self.parts[start:end] = self.definitions_of(start, end)
            case edits.MoveStep(id, after):
                self.move(id, after)
            case edits.MergeSteps(ids):
                self.merge(list(ids))
            case edits.SplitStep(id, at_id, title):
                at, step = self.at(at_id), self.parts[self.step(id)]
                around = self.steps_around(at)
                if not around or self.parts[around[-1]].id != id:
                    raise Impossible
                self.parts.insert(at, heading(self.new_id(), step.level, step.form, title))

    def at(self, id: str) -> int:
        found = [index for index, part in enumerate(self.parts) if part.id == id]
        if not found:
            raise Impossible
        return found[0]

    def step(self, id: str) -> int:
        if not self.is_step(self.at(id)):
            raise Impossible
        return self.at(id)

    def is_step(self, at: int) -> bool:
        part = self.parts[at]
        opens = not any(other.id and not other.text.startswith("<") for other in self.parts[:at])
        return bool(part.form) and not (part.level == 1 and opens)

    def steps(self) -> list[int]:
        return [at for at in range(len(self.parts)) if self.is_step(at)]

    def steps_around(self, at: int) -> list[int]:
        """The steps that a block lies in, the innermost last."""
        return [step for step in self.steps() if step < at < self.section(step)[1]]

    def section(self, at: int) -> tuple[int, int]:
        """The heading at an index and where what stands below it ends, exclusively."""
        higher = (
            end for end in range(at + 1, len(self.parts)) if self.parts[end].level <= self.parts[at].level
        )
        return at, next(higher, len(self.parts))

    def definitions_of(self, start: int, end: int) -> list[Part]:
        return [replace(part, is_over=True) for part in self.parts[start:end] if part.label]

    def end_of_blocks(self, at: int) -> int:
        """Where a step ends that is followed: definitions below it are left below what comes after it."""
        _, end = self.section(at)
        while not self.parts[end - 1].id:
            end -= 1
        return end

    def place(self, after: str | None) -> tuple[int, int, str]:
        """Where a step goes, and the level and form of its heading."""
        if after is not None:
            at = self.step(after)
            return self.end_of_blocks(at), self.parts[at].level, self.parts[at].form
        if steps := self.steps():
            return steps[0], self.parts[steps[0]].level, self.parts[steps[0]].form
        return (
            max([at + 1 for at, part in enumerate(self.parts) if part.id], default=len(self.parts)),
            2,
            "Step 1:",
        )

    def with_ids(self, written: Sequence[Part]) -> list[Part]:
        return [part if part.label else replace(part, id=self.new_id()) for part in written]

    def replace(self, id: str, written: list[Part]) -> None:
        at = self.at(id)
        start, end = self.section(at) if self.is_step(at) else (at, at + 1)
        new = self.with_ids(written)
        first = next((index for index, part in enumerate(new) if part.id), None)
        if first is None:
            raise Impossible
        if self.is_step(at):
            top = new[first]
            if not top.is_heading or any(part.level < top.level for part in new):
                raise Impossible
            new = all_deeper(new, self.parts[at].level - top.level)
            if not top.form:
                new[first] = heading(id, self.parts[at].level, self.parts[at].form, top.title)
        new[first] = replace(new[first], id=id)
        self.parts[start:end] = new + self.definitions_of(start, end)

    def insert(self, after: str | None, title: str, written: Sequence[Part]) -> None:
        at, level, form = self.place(after)
        top = heading(self.new_id(), level, form, title)
        body = self.with_ids(written)
        highest = min((part.level for part in body if part.is_heading), default=9)
        self.parts[at:at] = [top, *all_deeper(body, max(0, level + 1 - highest))]

    def move(self, id: str, after: str | None) -> None:
        start, end = self.section(self.step(id))
        if after is not None and start <= self.step(after) < end:
            raise Impossible
        if after is None and start == self.steps()[0]:
            return
        moved = [part for part in self.parts[start:end] if part.id]
        self.parts[start:end] = [part for part in self.parts[start:end] if not part.id]
        at, level, _ = self.place(after)
        self.parts[at:at] = all_deeper(moved, level - moved[0].level)

    def merge(self, ids: list[str]) -> None:
        for one, other in zip(ids, ids[1:], strict=False):
            follows = self.section(self.step(one))[1] == self.step(other)
            if not follows or self.parts[self.at(one)].level != self.parts[self.at(other)].level:
                raise Impossible
        for id in ids[1:]:
            at = self.at(id)
            title, below = self.parts[at].title, self.parts[at + 1 : at + 2]
            if below and below[0].id and below[0].text.rstrip(".").casefold() == title.casefold():
                self.parts[at : at + 2] = [replace(below[0], id=id)]
            else:
                self.parts[at] = Part(id, title)

    def result(self) -> list[tuple[str, str]]:
        """The blocks with their ids and texts, numbered, and the definitions that are left."""
        text = " ".join(part.text for part in self.parts if part.id)
        left, defined = [], set()
        for at, part in enumerate(self.parts):
            if part.is_over and (f"[{part.label}]" not in text or part.label in defined):
                continue
            defined.add(part.label)
            number = str(self.number(at)) if self.is_step(at) else ""
            left.append((part.id, re.sub(r"\d+", number, part.text, count=1) if number else part.text))
        return left

    def number(self, at: int) -> int:
        """One more than the steps above that lie in the same step."""
        around = self.steps_around(at)[-1:]
        return 1 + sum(self.steps_around(step)[-1:] == around for step in self.steps() if step < at)


def all_deeper(parts: Sequence[Part], levels: int) -> list[Part]:
    """Headings so many levels further down, unless one would be below the sixth."""
    if any(part.is_heading and part.level + levels > 6 for part in parts):
        raise Impossible
    return [deeper(part, levels) for part in parts]


def deeper(part: Part, levels: int) -> Part:
    """A heading so many levels further down, any other part as it is; an underlined one gets number signs."""
    if not part.is_heading or not levels:
        return part
    level = part.level + levels
    if part.text.startswith("#"):
        return replace(part, level=level, text="#" * level + part.text.lstrip("#"))
    underlined = part.text.split("\n")[0]
    return replace(part, level=level, text=f"{'#' * level} {underlined}")
