"""How well `read_screen` reads recordings whose events are known: `python tests/media/screen_scores.py FILE.mp4…`

Beside each recording lies FILE.yaml with `events`: `at_ms`, `kind`, and where it has them `end_ms`, `label`, `text`,
`region`. Printed are precision, recall and F1 for each kind, how many labels and texts are exact, how often events are
right by their confidence, and what reading costs: seconds of the processor a minute, and memory at most. `-v` prints
what was missed and what was made up.
"""

from __future__ import annotations

import resource
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parents[2]))

from jobs.media.probe import probe_video
from jobs.media.screen import ScreenEvent, read_screen

TOLERANCE_MS = {"click": 700, "window": 1_200, "scroll": 700, "type": 700}


@dataclass
class Count:
    right: int = 0
    found: int = 0
    true: int = 0
    labels: int = 0
    labelled: int = 0
    texts: int = 0
    written: int = 0
    by_confidence: dict[int, list[bool]] = field(default_factory=lambda: defaultdict(list))


def matches(true: dict[str, Any], event: ScreenEvent) -> bool:
    """Return whether an event is the true one: of its kind and time, whole stretches overlapping."""
    tolerance = TOLERANCE_MS[event.kind]
    end_ms = event.at_ms if event.end_ms is None else event.end_ms
    return (
        true["kind"] == event.kind
        and event.at_ms <= true.get("end_ms", true["at_ms"]) + tolerance
        and end_ms >= true["at_ms"] - tolerance
    )


def score(path: Path, counts: dict[str, Count], *, is_verbose: bool) -> tuple[float, float]:
    """Take in a recording; return the processor's seconds, and the minutes of the recording."""
    known = yaml.safe_load(path.with_suffix(".yaml").read_text())["events"]
    began = time.process_time()
    screen = read_screen(path)
    seconds = time.process_time() - began
    left = list(known)
    if screen.note:
        print(f"{path.name}: {screen.note}")
    for event in screen.events:
        count = counts[event.kind]
        count.found += 1
        near = [true for true in left if matches(true, event)]
        true = min(near, key=lambda true: abs(true["at_ms"] - event.at_ms), default=None)
        count.by_confidence[int(event.confidence * 10)].append(true is not None)
        if true is None:
            if is_verbose:
                print(f"  {path.stem} made up: {event.at_ms} {event.kind} {event.label!r} {event.confidence}")
            continue
        left.remove(true)
        count.right += 1
        count_texts(path.stem, count, true, event, is_verbose=is_verbose)
    for true in known:
        counts[true["kind"]].true += 1
    if is_verbose:
        for true in left:
            print(f"  {path.stem} missed: {true['at_ms']} {true['kind']} {true.get('label')!r}")
    return seconds, probe_video(path).duration_ms / 60_000


def count_texts(
    name: str, count: Count, true: dict[str, Any], event: ScreenEvent, *, is_verbose: bool
) -> None:
    if true.get("label") is not None:
        count.labelled += 1
        count.labels += true["label"] == event.label
        if true["label"] != event.label and is_verbose:
            print(f"  {name} label: {event.at_ms} {event.kind} {event.label!r}, true {true['label']!r}")
    if true["kind"] == "type":
        count.written += 1
        count.texts += true.get("text") == event.text
        if true.get("text") != event.text and is_verbose:
            print(f"  {name} text: {event.at_ms} {event.text!r}, true {true.get('text')!r}")


def main(arguments: list[str]) -> None:
    is_verbose = "-v" in arguments
    counts: dict[str, Count] = defaultdict(Count)
    seconds = minutes = 0.0
    for name in arguments:
        if not name.startswith("-"):
            spent, length = score(Path(name), counts, is_verbose=is_verbose)
            seconds, minutes = seconds + spent, minutes + length
    for kind, count in sorted(counts.items()):
        precision, recall = count.right / max(1, count.found), count.right / max(1, count.true)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        print(
            f"{kind:7} true {count.true:4} precision {precision:.3f} recall {recall:.3f} F1 {f1:.3f}"
            f"  labels {count.labels}/{count.labelled}"
            + (f"  texts {count.texts}/{count.written}" if count.written else "")
        )
        rows = sorted(count.by_confidence.items())
        print("        right by confidence: " + ", ".join(f"0.{at} {sum(r)}/{len(r)}" for at, r in rows))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{seconds / max(1e-9, minutes):.1f} s of the processor a minute, at most {memory} MiB")


if __name__ == "__main__":
    main(sys.argv[1:])
