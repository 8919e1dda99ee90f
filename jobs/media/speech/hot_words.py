"""Hot words: names on the screen of a recording that its speaker is likely to say, for a recogniser."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate

from jobs.media.screen import Screen
from jobs.media.screen.labels import PRIVATE

MAX_HOT_WORDS = 30
_MAX_CHARACTERS = 500  # of all of them
_MAX_NAME_CHARACTERS = 30
_MAX_NAME_WORDS = 4
_LETTER = re.compile(r"[^\W\d_]")
_UNSPOKEN = re.compile(r"[\\/_<>{}|=~^]|\d{3}|\.\w")  # paths, addresses, code, and the values in a table


def choose_hot_words(screen: Screen) -> tuple[str, ...]:
    """Return names of controls, windows and fields, none twice: first those that are acted on, the most frequent
    first, then titles and captions. Sentences, numbers, addresses, and what is typed are not among them.
    """
    acted_on = Counter(event.label for event in screen.events if event.label)
    chosen: dict[str, str] = {}
    for name in (*(label for label, _ in acted_on.most_common()), *screen.words):
        if _is_name(name):
            chosen.setdefault(name.casefold(), name)
    lengths = accumulate(len(name) for name in chosen.values())
    few = list(zip(chosen.values(), lengths, strict=True))[:MAX_HOT_WORDS]
    return tuple(name for name, length in few if length <= _MAX_CHARACTERS)


def as_sentences(names: Iterable[str], opening: str = "") -> str:
    """Return names as a prompt for a Whisper model, a sentence each that begins with `opening`.

    It writes as its prompt is written: after a list with commas it left out two thirds of the full stops.
    """
    return " ".join(f"{opening}{name}." for name in names)


def is_any_said(names: Iterable[str], text: str) -> bool:
    """Return whether a text has one of the names, in any case and with any marks between its words."""
    said = f" {_plain(text)} "
    # Some scripts have no spaces between words.
    return any((f" {plain} " if plain.isascii() else plain) in said for plain in map(_plain, names) if plain)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _is_name(text: str) -> bool:
    letters = len(_LETTER.findall(text))
    return (
        len(text) <= _MAX_NAME_CHARACTERS
        and len(text.split()) <= _MAX_NAME_WORDS
        and letters >= 2
        and letters >= 0.7 * len(text.replace(" ", ""))
        and not PRIVATE.search(text)
        and not _UNSPOKEN.search(text)
    )
