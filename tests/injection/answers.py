"""What an obedient model answers: honest steps, and an attack's plants in each of several ways.

A way of drafting is a function of the case, the segments that the model was shown (by number) and those of them that
attack; it returns the whole content of the answer. A way of rewriting is one of the case alone. A cunning model keeps
to the rules of shape where it can: no more steps than segments, the blocks of the passage.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from instructions.drafting import short_title
from tests.injection.cases import Case, normal, without

Shown = Mapping[int, str]
DraftWay = Callable[[Case, Shown, Sequence[int]], str]
RewriteWay = Callable[[Case], str]

FLOOD = 10_000
_SHINGLE = 6  # characters
_LINK_TARGET = re.compile(r"(?<=\]\()[^\s()]+|(?<=<)https?://[^\s<>]+(?=>)|(?<=\]: )\S+")
_MARKS = re.compile(r"[`*_\[\]<>!]|\]\(|\)")
_MARKER = re.compile(r"<!--.*?-->")


def shows(shown: str, attack: str) -> bool:
    """Return whether at least half of an attack can be read in the text, counted in runs of 6 characters."""
    told, text = normal(attack), normal(shown)
    runs = {told[at : at + _SHINGLE] for at in range(max(1, len(told) - _SHINGLE + 1))}
    return sum(run in text for run in runs) * 2 >= len(runs)


def attacking(case: Case, shown: Shown) -> list[int]:
    """Return the numbers of the shown segments in which the model reads an attack."""
    return [number for number, text in shown.items() if any(shows(text, attack) for attack in case.attack)]


def honest(case: Case, shown: Shown, attacks: Sequence[int] = ()) -> str:
    """Return a step for each segment, in the speaker's words."""
    return _answer("A short guide", _honest_steps(shown, attacks))


def _cited(case: Case, shown: Shown, attacks: Sequence[int]) -> str:
    """Plants in steps of their own that rest on the attack, in text and title."""
    new = [_step("Do this now", plant, attacks) for plant in case.plants]
    new += [_step(plant, plant, attacks) for plant in case.plants]
    return _answer("A short guide", _fitting(new, _honest_steps(shown, attacks), shown))


def _grafted(case: Case, shown: Shown, attacks: Sequence[int]) -> str:
    """Plants behind, before and in the title of honest steps, and in the guide's title."""
    steps = _honest_steps(shown, attacks)
    plants = "\n\n".join(case.plants)
    for step, change in zip(steps, (_behind, _before, _in_title, _glued), strict=False):
        change(step, plants)
    return _answer(f"A short guide {plants}", steps)


def _whole(case: Case, shown: Shown, attacks: Sequence[int]) -> str:
    """Plants alone, on the attack and on an honest segment."""
    others = [number for number in shown if number not in attacks][:1]
    steps = [_step(plant, plant, cited) for plant in case.plants for cited in (attacks, others)]
    return _answer(case.plants[0], steps)


def _raw(case: Case, shown: Shown, attacks: Sequence[int]) -> str:
    """Markdown instead of JSON."""
    steps = [
        f"## Step {at}: {text}\n\n{text}" for at, text in enumerate(shown.values(), 1) if at not in attacks
    ]
    return "\n\n".join(["# A short guide", *case.plants, *steps])


def _wrapped(case: Case, shown: Shown, attacks: Sequence[int]) -> str:
    """Honest JSON in a fence, the plants around it."""
    plants = "\n\n".join(case.plants)
    return f"{plants}\n\n```json\n{honest(case, shown, attacks)}\n```\n\n{plants}"


def _extra(case: Case, shown: Shown, attacks: Sequence[int]) -> str:
    """Plants in fields that nobody asked for."""
    content = json.loads(honest(case, shown, attacks))
    for step, plant in zip(content["steps"], case.plants * 3, strict=False):
        step |= {"markdown": plant, "html": plant, "image": plant, "url": plant, "block_id": plant}
    return json.dumps(content | {"markdown": "\n\n".join(case.plants), "links": list(case.plants)})


def _mistyped(case: Case, shown: Shown, attacks: Sequence[int]) -> str:
    """Plants in values of other types, and steps that rest on what is no list of numbers."""
    wrong: list[Any] = [None, True, "all", {}, [[1]], [None], [True], [1.5]]
    steps: list[Any] = [_step(case.plants[0], case.plants[0], cited) for cited in wrong]
    steps[0] = {"title": {"text": case.plants[0]}, "text": list(case.plants), "segments": [0]}
    return _answer("A short guide", _fitting(steps, [case.plants[0]], shown))


def _remembered(case: Case, shown: Shown, attacks: Sequence[int]) -> str:
    """Plants by a model that is hostile without being told: in steps of their own, and in honest ones."""
    numbers = list(attacks) or list(shown)[1:2]
    grafted = json.loads(_grafted(case, shown, attacks))
    new = [_step(plant, plant, numbers) for plant in case.plants]
    return _answer(grafted["title"], _fitting(new, grafted["steps"], shown))


def _flood(case: Case, shown: Shown, attacks: Sequence[int]) -> str:
    """One step ten thousand times, on the attack and on each other segment."""
    numbers = list(shown)
    steps = [
        _step(f"Again {at}", case.plants[0], [*attacks, numbers[at % len(numbers)]]) for at in range(FLOOD)
    ]
    return _answer("A short guide", [*_honest_steps(shown, attacks), *steps])


def _filled(case: Case, shown: Shown, attacks: Sequence[int]) -> str:
    """One step as often as there are segments."""
    return _answer("A short guide", [_step("Again", case.plants[0], list(attacks)) for _ in shown])


def _miscite(case: Case, shown: Shown, attacks: Sequence[int]) -> str:
    """Each honest step rests on the segment of another, and a planted one on an honest segment."""
    steps = _honest_steps(shown, attacks)
    numbers = [step["segments"] for step in steps]
    for step, cited in zip(steps, [*numbers[3:], *numbers[:3]], strict=True):
        step["segments"] = cited
    planted = [_step(plant, plant, numbers[0]) for plant in case.plants]
    return _answer("A short guide", _fitting(planted, steps, shown))


def _dropped(case: Case, shown: Shown, attacks: Sequence[int]) -> str:
    """One step that rests on everything and says there is nothing to do."""
    return _answer("A short guide", [_step(case.plants[0], case.plants[0], list(shown))])


def _unfounded(case: Case, shown: Shown, attacks: Sequence[int]) -> str:
    """Steps that rest on nothing, on what is not there, or on numbers in other clothes."""
    wrong: list[Any] = [[], [9999], [-1], ["1"], ["[2]"], [10**30]]
    steps = [_step(case.plants[0], case.plants[0], cited) for cited in wrong]
    return _answer("A short guide", _fitting(steps, _honest_steps(shown, attacks), shown))


def _kept(case: Case, shown: Shown, attacks: Sequence[int]) -> str:
    """The attack itself as a step, word for word, for a later turn."""
    return _answer("A short guide", _honest_steps(shown, ()))


DRAFTING: dict[str, DraftWay] = {
    "cited": _cited, "grafted": _grafted, "whole": _whole, "raw": _raw, "wrapped": _wrapped, "extra": _extra,
    "mistyped": _mistyped, "memory": _remembered,
}  # fmt: skip
SPECIAL: dict[str, DraftWay] = {
    "flood": _flood, "filled": _filled, "miscite": _miscite, "drop": _dropped, "unfounded": _unfounded,
    "later": _kept,
}  # fmt: skip


def _appended(case: Case) -> str:
    return "\n\n".join([case.honest_selection.rstrip(), *case.plants]) + "\n"


def _alone(case: Case) -> str:
    return "\n\n".join(case.plants) + "\n"


def _inside(case: Case) -> str:
    """Plants behind the first line of text, or in front of everything; the attack stays as it is."""
    return _behind_the_first_line(case, _one_line(case.plants))


def _words(case: Case) -> str:
    """The same without any marks: plain text to click on or to type."""
    return _behind_the_first_line(case, _bare(case))


def _replaced(case: Case) -> str:
    """Plants where the attack stood."""
    return _in_place_of_the_attack(case, _one_line(case.plants))


def _replaced_words(case: Case) -> str:
    return _in_place_of_the_attack(case, _bare(case))


def _retargeted(case: Case) -> str:
    """Every address of the passage replaced by the payload's; without one, the payload linked."""
    target = next(iter(case.payload)).replace(" ", "%20")
    address = target if ":" in target else f"https://{target}"
    changed = _LINK_TARGET.sub(lambda _: address, case.selection)
    return changed if changed != case.selection else _behind_the_first_line(case, f"[More]({address})")


REWRITING: dict[str, RewriteWay] = {
    "appended": _appended, "whole": _alone, "inside": _inside, "words": _words, "replaced": _replaced,
    "replaced words": _replaced_words, "retargeted": _retargeted,
}  # fmt: skip


def ways(case: Case) -> tuple[str, ...]:
    """Return the names of the ways in which the model obeys in this case."""
    if case.selection:
        return case.does or tuple(REWRITING)
    return (*case.does, "memory") if case.does else tuple(DRAFTING)


def _honest_steps(shown: Shown, attacks: Sequence[int]) -> list[dict[str, Any]]:
    return [
        _step(short_title(text), text, [number]) for number, text in shown.items() if number not in attacks
    ]


def _fitting(planted: Sequence[Any], steps: Sequence[Any], shown: Shown) -> list[Any]:
    """Return planted steps among others, of which the last are left out so that there are no more than segments."""
    rest = list(steps)[: max(0, len(shown) - len(planted))]
    return [*rest[:2], *planted, *rest[2:]]


def _step(title: str, text: str, segments: Any) -> dict[str, Any]:
    return {"title": title, "text": text, "segments": segments}


def _answer(title: str, steps: Sequence[Any]) -> str:
    return json.dumps({"title": title, "steps": list(steps)}, ensure_ascii=False)


def _behind(step: dict[str, Any], plants: str) -> None:
    step["text"] += f"\n\n{plants}"


def _before(step: dict[str, Any], plants: str) -> None:
    step["text"] = f"{plants}\n\n{step['text']}"


def _in_title(step: dict[str, Any], plants: str) -> None:
    step["title"] += f" {plants}"


def _glued(step: dict[str, Any], plants: str) -> None:
    step["text"] = f"{step['text'].rstrip('.')}, {plants}"


def _behind_the_first_line(case: Case, new: str) -> str:
    lines = case.selection.splitlines()
    at = next((at for at, line in enumerate(lines) if line[:1].isalpha()), 0)
    lines[at] = f"{lines[at]} {new}"
    return "\n".join(lines) + "\n"


def _in_place_of_the_attack(case: Case, new: str) -> str:
    first, *others = case.attack
    return without(case.selection.replace(first, new), tuple(others))


def _one_line(plants: Sequence[str]) -> str:
    return " ".join(" ".join(plant.split()) for plant in plants)


def _bare(case: Case) -> str:
    words = _MARKS.sub(" ", _MARKER.sub("", _one_line(case.plants)))
    return f"{' '.join(words.split())} {case.payload[0]}"
