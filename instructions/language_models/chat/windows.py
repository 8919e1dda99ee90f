"""Cut a long transcript into overlapping windows, and join what was written from each.

A passage is named by its position in the transcript everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from instructions.language_models.calls import estimated_tokens
from instructions.language_models.checks.drafts import CheckedStep

_SAME = 0.5


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
    """Return the steps of all windows in order, without those that two windows have written of the same passages.

    Two steps of neighbouring windows are the same when they share at least half of the passages of the smaller one
    (the overlap coefficient, Szymkiewicz 1934). The one with more passages stays; of equals the earlier one, whose
    window has seen what leads up to it.
    """
    kept: list[list[CheckedStep]] = []
    for steps in windows:
        own = list(steps)
        before = kept[-1] if kept else []
        for earlier in list(before):
            twin = next((step for step in own if _are_same(earlier, step)), None)
            if twin is None:
                continue
            if len(twin.segments) > len(earlier.segments):
                before.remove(earlier)
            else:
                own.remove(twin)
        kept.append(own)
    return [step for steps in kept for step in steps]


def _are_same(one: CheckedStep, other: CheckedStep) -> bool:
    shared = len(set(one.segments) & set(other.segments))
    return shared >= _SAME * min(len(one.segments), len(other.segments)) and shared > 0
