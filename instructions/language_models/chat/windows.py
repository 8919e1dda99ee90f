"""Cut a long transcript into overlapping windows, and join what was written from each.

A passage is named by its position in the transcript everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from instructions.language_models.calls import estimated_tokens
from instructions.language_models.checks.drafts import CheckedStep


@dataclass(frozen=True)
class Passage:
    """What is said at one position of the transcript, on one line."""

    position: int
    text: str

    @property
    def line(self) -> str:
        return f"[{self.position}] {self.text}"


def cut_windows(
    passages: Sequence[Passage], *, window_tokens: int, overlap_tokens: int
) -> list[tuple[Passage, ...]]:
    """Return the windows, each of about `window_tokens` at most, or of one passage that is longer.

    Each begins with the last passages of the one before, `overlap_tokens` of them at most.
    """
    sizes = [estimated_tokens(passage.line) + 1 for passage in passages]
    windows: list[tuple[Passage, ...]] = []
    begin = end = 0
    while end < len(passages):
        size, fresh = sum(sizes[begin:end]), end
        if size + sizes[end] > window_tokens:
            begin, size = end, 0
        while end < len(passages) and (end == fresh or size + sizes[end] <= window_tokens):
            size += sizes[end]
            end += 1
        windows.append(tuple(passages[begin:end]))
        begin, overlap = end, 0
        while begin > fresh and overlap + sizes[begin - 1] <= overlap_tokens:
            begin -= 1
            overlap += sizes[begin]
    return windows


def join_steps(windows: Sequence[Sequence[CheckedStep]]) -> list[CheckedStep]:
    """Return the steps of all windows in order, without those that a neighbouring window has written as well.

    Every passage that a step rests on is still one that a step rests on. Of equals the earlier one stays, whose window
    has seen what leads up to it.
    """
    kept: list[list[CheckedStep]] = []
    for steps in windows:
        before = kept[-1] if kept else []
        own = [step for step in steps if not _is_written_in(before, step, steps, of_equals=True)]
        if kept:
            kept[-1] = [step for step in before if not _is_written_in(steps, step, before, of_equals=False)]
        kept.append(own)
    return [step for steps in kept for step in steps]


def _is_written_in(
    others: Sequence[CheckedStep], step: CheckedStep, own: Sequence[CheckedStep], *, of_equals: bool
) -> bool:
    """Return whether a neighbouring window, of the steps `others`, has written this step of `own` as well.

    A step of it then rests on all of the step's passages, and so both windows saw them. What `own` makes of the
    passages of that step are no more steps than `others` makes of them, for a step about several others replaces none;
    `of_equals` says whether it may be as many when they all rest on the same passages.
    """
    for other in others:
        if not set(step.segments) <= set(other.segments):
            continue
        steps = sum(set(each.segments) <= set(other.segments) for each in own)
        alike = sum(each.segments == other.segments for each in others)
        if steps < alike or (steps == alike and (of_equals or step.segments != other.segments)):
            return True
    return False
