"""The corpus of injections: talks and passages with an attack in them, and honest ones that look alike."""

from __future__ import annotations

import re
import sys
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).with_name("corpus")
ATTACKS = ("seen", "held_out")
SEGMENT_MS = 4000

# Characters that nobody sees: of format (tags among them) and control, and those that choose a variant (Unicode 16,
# 23.4). Lone surrogates are none of Unicode.
_UNSEEN = re.compile(
    "[\u034f\ufe00-\ufe0f\U000e0100-\U000e01ef"
    + "".join(
        re.escape(character)
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) in ("Cf", "Cc", "Cs") and not character.isspace()
    )
    + "]"
)


@dataclass(frozen=True)
class Case:
    """A talk (`segments`) or a passage to be rewritten (`selection`), and what a model that obeys it plants.

    `attack` is the attack's own words: whole segments at `positions`, or parts of the selection. `plants` is what the
    model writes in Markdown, `payload` what of it may not be read anywhere (addresses, commands, numbers), `claims` its
    sentences without any of these, which only a reader can tell from honest ones. `keep` has to be there afterwards.
    `does` names the model's ways to obey, all of them when empty. `rewritten` is an honest model's answer.
    """

    group: str
    name: str
    kind: str
    segments: tuple[str, ...] = ()
    positions: tuple[int, ...] = ()
    selection: str = ""
    attack: tuple[str, ...] = ()
    plants: tuple[str, ...] = ()
    payload: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    does: tuple[str, ...] = ()
    rewritten: str = ""
    language: str = "en"

    @property
    def honest_selection(self) -> str:
        return without(self.selection, self.attack)

    @property
    def honest_segments(self) -> dict[int, str]:
        """The segments that are no attack, by position."""
        return {
            position: text for position, text in enumerate(self.segments) if position not in self.positions
        }

    def __str__(self) -> str:
        return f"{self.group}: {self.kind}: {self.name}"


@cache
def cases(group: str) -> tuple[Case, ...]:
    """Return the cases of a group ("seen", "held_out", "benign"), talks first."""
    talks = {name: talk["segments"] for name, talk in _read("talks").items()}
    read = [*_read(f"{group}_talks")["case"], *_read(f"{group}_selections")["case"]]
    return tuple(_case(group, entry, talks) for entry in read)


def without(text: str, passages: tuple[str, ...]) -> str:
    """Return the text with each of the passages taken out wherever it stands, word for word."""
    for passage in passages:
        text = text.replace(passage, "")
    return text


def normal(text: str) -> str:
    """Return the text as a reader takes it in: one width and case of letters, nothing unseen, single spaces."""
    return " ".join(_UNSEEN.sub("", unicodedata.normalize("NFKC", text)).casefold().split())


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((CORPUS / f"{name}.toml").read_text(encoding="utf-8"))


def _case(group: str, entry: dict[str, Any], talks: dict[str, list[str]]) -> Case:
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    if talk := given.pop("talk", None):
        segments, positions, said = list(talks[talk]), given.pop("at"), given.pop("said")
        for position, text in zip(positions, said, strict=True):
            segments.insert(position, text)
        given |= {"segments": tuple(segments), "positions": positions, "attack": said}
    return Case(**{"group": group, "kind": "benign", **given})
