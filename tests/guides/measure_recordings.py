"""Print how good the guides are that are drafted from recordings of screens: a part of `make guides`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import yaml

from instructions.evidence import DraftStep
from instructions.language_models import Segment
from instructions.language_models.extractive import Extractive
from jobs.media.screen import EventKind, Screen, ScreenEvent, read_screen
from tests.guides.matching import Score, matches, score

RECORDINGS = Path(__file__).resolve().parent / "recordings"
CLICK_MS = 700


@dataclass(frozen=True)
class Result:
    """`named` is the share of the steps at a labelled control whose title has its name as the screen spells it;
    `shown` the share of the clicks that were found whose picture is from before the click and after the one before."""

    steps: Score
    words_alone: Score
    clicks: Score
    typing: Score
    undone: int
    named: float
    shown: float
    cpu_a_minute: float


def print_recordings() -> None:
    print(
        f"\n{'recording':16} labelled found  prec   rec    F1  by words  clicks typing  named shown undone"
        "  CPU s a min",
        flush=True,
    )
    results = []
    for path in sorted(RECORDINGS.glob("*.yaml")):
        result = measure(path)
        results.append(result)
        steps = result.steps
        print(
            f"{path.stem:16} {steps.labelled:8} {steps.found:5} {steps.precision:5.2f} {steps.recall:5.2f}"
            f" {steps.f1:5.2f} {result.words_alone.f1:9.2f} {result.clicks.f1:7.2f}"
            f" {result.typing.f1:6.2f} {result.named:6.2f}"
            f" {result.shown:5.2f} {result.undone:6} {result.cpu_a_minute:12.1f}",
            flush=True,
        )
    print(f"mean F1 {fmean(result.steps.f1 for result in results):.2f}")


def measure(path: Path) -> Result:
    true = yaml.safe_load(path.read_text())
    begun = time.process_time()
    screen = read_screen(path.with_suffix(".mp4"))
    seconds = time.process_time() - begun
    segments = [Segment(each["start_ms"], each["end_ms"], each["text"]) for each in true["segments"]]
    drafted = _draft(segments, screen, true["language"])
    found = [step.start_ms for step in drafted]
    steps = [step["at_ms"] for step in true["steps"]]
    known = matches(found, steps)
    surplus = [at for number, at in enumerate(found) if number not in {number for number, _ in known}]
    length_ms = max(event.get("end_ms", event["at_ms"]) for event in true["events"])
    return Result(
        steps=score(found, steps),
        words_alone=score([step.start_ms for step in _draft(segments, Screen(), true["language"])], steps),
        clicks=_score(screen, true, EventKind.CLICK),
        typing=_score(screen, true, EventKind.TYPE),
        undone=len(matches(surplus, true["undone_ms"])),
        named=_named(drafted, true["steps"], known),
        shown=_shown(screen, true),
        cpu_a_minute=seconds / (length_ms / 60_000),
    )


def _draft(segments: list[Segment], screen: Screen, language: str) -> tuple[DraftStep, ...]:
    if not segments and not screen.events:
        return ()
    return Extractive().draft(segments, title=None, language=language, screen=screen.events).steps


def _times(events: list[dict[str, Any]], kind: EventKind) -> list[int]:
    return [event["at_ms"] for event in events if event["kind"] == kind]


def _score(screen: Screen, true: dict[str, Any], kind: EventKind) -> Score:
    found = [event.at_ms for event in screen.events if event.kind == kind]
    return score(found, _times(true["events"], kind), near_ms=CLICK_MS)


def _named(
    drafted: tuple[DraftStep, ...], steps: list[dict[str, Any]], known: list[tuple[int, int]]
) -> float:
    named = {
        at: steps[at]["title_words"] in drafted[number].heading
        for number, at in known
        if steps[at]["title_words"]
    }
    wanted = [at for at, step in enumerate(steps) if step["title_words"]]
    return sum(named.get(at, False) for at in wanted) / len(wanted) if wanted else 1.0


def _shown(screen: Screen, true: dict[str, Any]) -> float:
    clicks: list[ScreenEvent] = [event for event in screen.events if event.kind == EventKind.CLICK]
    times = _times(true["events"], EventKind.CLICK)
    pairs = matches([click.at_ms for click in clicks], times, near_ms=CLICK_MS)
    right = sum(
        clicks[number].picture_ms is not None
        and (times[at - 1] if at else -1) < (clicks[number].picture_ms or 0) <= times[at] + 50
        for number, at in pairs
    )
    return right / len(times) if times else 1.0
