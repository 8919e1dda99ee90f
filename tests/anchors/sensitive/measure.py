"""Print what is found on the drawn screens, what is missed, and what is found by mistake, for both halves of them."""

from __future__ import annotations

import sys
from collections import Counter

from anchors.sensitive.patterns import KINDS
from anchors.sensitive.reading import Box, Reader
from tests.anchors.sensitive.screens import Screen, screens

COVERED = 0.9
"""The share of the letters' box that must be hidden."""


def covered(truth: Box, boxes: list[Box]) -> float:
    """Return the share of a box that the best of others covers."""
    area = (truth[2] - truth[0]) * (truth[3] - truth[1])
    shares = [0.0]
    for left, top, right, bottom in boxes:
        width = min(right, truth[2]) - max(left, truth[0])
        height = min(bottom, truth[3]) - max(top, truth[1])
        shares.append(max(0, width) * max(0, height) / area)
    return max(shares)


def count(screen: Screen, reader: Reader) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Return how often each kind was found, missed and false on a screen, and what the latter two were."""
    counts: Counter[tuple[str, str]] = Counter()
    notes: list[str] = []
    seen = reader.read(screen.picture)
    for truth in screen.truths:
        is_found = covered(truth.box, [each.box for each in seen if each.kind == truth.kind]) >= COVERED
        counts[truth.kind, "found" if is_found else "missed"] += 1
        if not is_found:
            notes.append(f"{screen.name}: missed {truth.kind} {truth.text!r} size {screen.size}")
    for each in seen:
        if not any(
            covered(truth.box, [each.box]) > 0.3 for truth in screen.truths if truth.kind == each.kind
        ):
            counts[each.kind, "false"] += 1
            notes.append(f"{screen.name}: false {each.kind} {each.text!r} {each.confidence}")
    return counts, notes


def main() -> None:
    reader, halves = Reader(), [Counter[tuple[str, str]](), Counter[tuple[str, str]]()]
    for screen in screens():
        counts, notes = count(screen, reader)
        halves[screen.is_apart].update(counts)
        if "-v" in sys.argv and not screen.is_apart:
            print(*notes, sep="\n", end="\n" if notes else "")
    for name, counts in zip(("tuned on", "set apart"), halves, strict=True):
        print(f"{name:10} {'found':>6} {'missed':>7} {'false':>6}")
        for kind in KINDS:
            print(f"{kind:10} {counts[kind, 'found']:6} {counts[kind, 'missed']:7} {counts[kind, 'false']:6}")


if __name__ == "__main__":
    main()
