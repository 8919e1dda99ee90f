"""Print how good the guides are that are drafted from talks: `make guides`.

What is measured, and how the labels came about, stands in README.md beside this file.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import yaml

from instructions.language_models import LanguageModel, Segment
from instructions.language_models.extractive import Extractive
from tests.guides.matching import matches, score
from tests.guides.measure_recordings import print_recordings
from tests.guides.served import PROFILE, most_memory_mib, served_model

HERE = Path(__file__).resolve().parent
LABELLERS = ("a", "b")


@dataclass(frozen=True)
class Talk:
    """A transcript, and the times (ms) of the steps that each labeller found in it, and of what is taken back."""

    name: str
    half: str
    language: str
    segments: tuple[Segment, ...]
    labels: tuple[tuple[int, ...], ...]
    undone: tuple[int, ...]


@dataclass(frozen=True)
class Result:
    """What is told of a talk; shares are 0..1, the means over the labellers."""

    agreement: float
    precision: float
    recall: float
    f1: float
    labelled: float
    found: int
    invented: int
    undone: int
    seconds: float
    minutes: float


def main() -> int:
    options = _options()
    halves = yaml.safe_load((HERE / "halves.yaml").read_text())
    talks = [
        read_talk(name, half)
        for half in halves
        for name in halves[half]
        if half == (options.half or half) and name in (options.talks.split() or [name])
    ]
    print(
        f"{'talk':22} {'half':6} labelled found  agree  prec   rec    F1  invented undone  CPU s  a min",
        flush=True,
    )
    if options.model:
        with served_model(options.model, options.model_python, options.profile, options.threads) as served:
            model, cpu_seconds = served
            _print_all(talks, model, cpu_seconds)
    else:
        _print_all(talks, Extractive(), lambda: 0.0)
    if not (options.half or options.talks or options.model):
        print_recordings()
    print(f"most memory: {most_memory_mib():.0f} MiB")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="", help="a model's file, or the address of a service")
    parser.add_argument("--model-python", default=sys.executable, help="an interpreter that has xllamacpp")
    parser.add_argument("--threads", type=int, default=2, help="of the server of a model's file")
    parser.add_argument("--profile", default=PROFILE, help="the model profile")
    parser.add_argument("--half", default="", help="tuned or kept; both without it")
    parser.add_argument("--talks", default="", help="names of talks; all without it")
    return parser.parse_args()


def _print_all(talks: Sequence[Talk], model: LanguageModel, cpu_seconds: Callable[[], float]) -> None:
    results: dict[Talk, Result] = {}
    for talk in talks:
        results[talk] = measure(talk, model, cpu_seconds)
        print(row(talk.name, talk.half, results[talk]), flush=True)
    for half in dict.fromkeys(talk.half for talk in talks):
        print(row("mean", half, mean([result for talk, result in results.items() if talk.half == half])))


def read_talk(name: str, half: str) -> Talk:
    talk = _read("talks", name)
    segments = tuple(Segment(each["start_ms"], each["end_ms"], each["text"]) for each in talk["segments"])
    labels = [_read(f"labels/{labeller}", name) for labeller in LABELLERS]
    steps = tuple(tuple(step["at_ms"] for step in label["steps"]) for label in labels)
    return Talk(name, half, talk["language"], segments, steps, tuple(talk.get("undone_ms", ())))


def _read(folder: str, name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((HERE / folder / f"{name}.yaml").read_text())
    return content


def measure(talk: Talk, model: LanguageModel, cpu_seconds: Callable[[], float] = lambda: 0.0) -> Result:
    """Draft the guide of a talk, and compare its steps with what was labelled."""
    begun = time.process_time() + cpu_seconds()
    draft = model.draft(talk.segments, title=None, language=talk.language)
    seconds = time.process_time() + cpu_seconds() - begun
    found = [step.start_ms for step in draft.steps]
    scores = [score(found, labelled) for labelled in talk.labels]
    known = {at for labelled in talk.labels for at, _ in matches(found, labelled)}
    return Result(
        agreement=fmean(score(one, other).f1 for one, other in combinations(talk.labels, 2)),
        precision=fmean(each.precision for each in scores),
        recall=fmean(each.recall for each in scores),
        f1=fmean(each.f1 for each in scores),
        labelled=fmean(map(len, talk.labels)),
        found=len(found),
        invented=len(found) - len(known),
        undone=len(matches([at for number, at in enumerate(found) if number not in known], talk.undone)),
        seconds=seconds,
        minutes=max(segment.end_ms for segment in talk.segments) / 60_000,
    )


def mean(results: Sequence[Result]) -> Result:
    """Return the means of the shares, and the sums of what is counted."""
    return Result(
        agreement=fmean(each.agreement for each in results),
        precision=fmean(each.precision for each in results),
        recall=fmean(each.recall for each in results),
        f1=fmean(each.f1 for each in results),
        labelled=sum(each.labelled for each in results),
        found=sum(each.found for each in results),
        invented=sum(each.invented for each in results),
        undone=sum(each.undone for each in results),
        seconds=sum(each.seconds for each in results),
        minutes=sum(each.minutes for each in results),
    )


def row(name: str, half: str, result: Result) -> str:
    return (
        f"{name:22} {half:6} {result.labelled:8.1f} {result.found:5} {result.agreement:6.2f} {result.precision:5.2f}"
        f" {result.recall:5.2f} {result.f1:5.2f} {result.invented:9} {result.undone:6} {result.seconds:6.2f}"
        f" {result.seconds / result.minutes:6.1f}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
