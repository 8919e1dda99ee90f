"""How well a recogniser heard a known text."""

from __future__ import annotations

import re

NUMBERS = {"1": "one", "2": "two", "3": "three", "10": "ten", "20": "twenty", "30": "thirty", "60": "sixty"}


def spoken_words(text: str) -> list[str]:
    return [NUMBERS.get(word, word) for word in re.findall(r"[a-z0-9']+", text.lower().replace("-", " "))]


def word_error_rate(reference: str, found: str) -> float:
    """Words to replace, insert and delete, by words of the reference (Levenshtein's distance over words)."""
    wanted, heard = spoken_words(reference), spoken_words(found)
    costs = list(range(len(heard) + 1))
    for row, word in enumerate(wanted, start=1):
        diagonal, costs[0] = costs[0], row
        for column, other in enumerate(heard, start=1):
            best = min(costs[column] + 1, costs[column - 1] + 1, diagonal + (word != other))
            diagonal, costs[column] = costs[column], best
    return costs[-1] / len(wanted)
