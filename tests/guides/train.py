"""Learn the weights of the finder of steps from the marked talks in `training`: `make train-finder`.

A logistic regression with squared weights as penalty, by AdaGrad (Duchi, Hazan and Singer 2011) in a fixed order, so
that the same talks give the same weights. The threshold is chosen by cross-validation over talks, raised, and taken
off the bias, so that a step begins from a score of 0.5 on. Prints how well steps are found in talks that were not
learnt from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from instructions.language_models.extractive import finder
from instructions.language_models.extractive.finder import GAP_MS, Border, Word
from jobs.media.transcripts import Segment
from tests.guides.matching import score

TRAINING = Path(__file__).resolve().parent / "training"
ENGLISH = ("e1", "e2", "nn")
FOLDS, ROUNDS, RATE, PENALTY = 5, 25, 0.25, 2e-4
SMALLEST = 0.35
RAISED = (
    0.7  # of the threshold: in the half to work with, people mark fewer steps than the training talks have
)
BIAS = "bias"  # which every border has
_LINE = re.compile(r"(\d+) (\d+) (.*)")
_MARK = re.compile(r"\[\[~?")


@dataclass(frozen=True)
class Talk:
    words: list[Word]
    borders: list[Border]
    features: list[set[str]]
    begins: np.ndarray  # which borders begin a step
    starts_ms: list[float]


def read_talk(path: Path) -> Talk:
    prefix = path.stem.split("_")[0]
    segments, marked = [], []  # where steps begin: (segment, character)
    for number, line in enumerate(path.read_text().splitlines()):
        found = _LINE.fullmatch(line)
        assert found, f"{path.name}:{number + 1}"
        text, at = "", 0
        for mark in _MARK.finditer(found[3]):
            text += found[3][at : mark.start()]
            at = mark.end()
            if mark[0] == "[[":
                marked.append((number, len(text)))
        segments.append(Segment(int(found[1]), int(found[2]), text + found[3][at:]))
    words = finder.words_of(segments)
    borders = finder.borders_of(words)
    first = {number: at for at, word in reversed(list(enumerate(words))) for number in [word.segment]}
    places = [
        first[number] + len(segments[number].text[:at].split()) for number, at in marked if number in first
    ]
    places = [min(place, len(words) - 1) for place in places]
    begins = np.zeros(len(borders))
    where = np.array([border.place for border in borders])
    for place in places:
        begins[np.abs(where - place).argmin()] = 1
    language = "en" if prefix in ENGLISH else prefix
    features = finder.features_of(words, borders, language)
    return Talk(words, borders, features, begins, [words[place].at_ms for place in places])


def learn(talks: Sequence[Talk]) -> dict[str, float]:
    """Return the weights of features."""
    names = sorted({name for talk in talks for row in talk.features for name in row})
    number = {name: at for at, name in enumerate(names)}
    rows = [np.array(sorted(number[name] for name in row)) for talk in talks for row in talk.features]
    begins = np.concatenate([talk.begins for talk in talks])
    weights, squares = np.zeros(len(names)), np.full(len(names), 1e-2)
    order = np.random.default_rng(1)
    for _ in range(ROUNDS):
        for at in order.permutation(len(rows)):
            row = rows[at]
            error = 1 / (1 + np.exp(-weights[row].sum())) - begins[at]
            slope = error + PENALTY * weights[row]
            squares[row] += slope**2
            weights[row] -= RATE * slope / np.sqrt(squares[row])
    return {name: float(weights[at]) for name, at in number.items()}


def sums_of(talk: Talk, weights: dict[str, float]) -> np.ndarray:
    return np.array([sum(weights.get(name, 0.0) for name in row) for row in talk.features])


def found_ms(talk: Talk, sums: np.ndarray, threshold: float) -> list[float]:
    kept: list[float] = []
    for at in np.argsort(-sums, kind="stable"):
        time = talk.words[talk.borders[at].place].at_ms
        if sums[at] >= threshold and all(abs(time - other) >= GAP_MS for other in kept):
            kept.append(time)
    return sorted(kept)


def main() -> int:
    talks = [read_talk(path) for path in sorted(TRAINING.glob("*.txt"))]
    apart: list[np.ndarray] = [np.zeros(0)] * len(talks)
    for fold in range(FOLDS):
        weights = learn([talk for at, talk in enumerate(talks) if at % FOLDS != fold])
        for at in range(fold, len(talks), FOLDS):
            apart[at] = sums_of(talks[at], weights)

    def mean_f1(threshold: float) -> float:
        found = (found_ms(talk, sums, threshold) for talk, sums in zip(talks, apart, strict=True))
        return fmean(
            score([int(each) for each in one], [int(each) for each in talk.starts_ms]).f1
            for one, talk in zip(found, talks, strict=True)
        )

    threshold = max((round(-3 + step * 0.1, 1) for step in range(40)), key=mean_f1)
    print(f"mean F1 of talks that were not learnt from: {mean_f1(threshold):.3f}, threshold {threshold}")
    weights = learn(talks)
    weights[BIAS] -= threshold + RAISED
    kept = {name: round(weight, 2) for name, weight in weights.items() if abs(weight) >= SMALLEST}
    finder.WEIGHTS.write_text(json.dumps(kept, ensure_ascii=False, sort_keys=True, indent=0) + "\n")
    print(f"{len(kept)} weights, {finder.WEIGHTS.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
