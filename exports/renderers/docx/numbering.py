"""The numbering definitions of lists and steps (ECMA-376 part 1, 17.9)."""

from __future__ import annotations

from exports.renderers.docx.xml import Element, add, root

# Twips (1/20 point): the numbers of steps hang in the margin, so that all text stands on one edge.
STEP_HANG = 460

BULLETS = 1
_BULLETED, _NUMBERED, _STEPPED = 1, 2, 3
_LEVELS = 9
# Word takes no greater start of a list ([MS-OI29500], 2.1.230); what counts on has its number as text.
MAX_NUMBER = 32_767


class Numbering:
    """Numbers each list and run of steps by an instance of its own; collects them for the part of the numbering."""

    def __init__(self) -> None:
        # Definition, level and start of each instance after that of the bullets, which numbers from 1.
        self._instances: list[tuple[int, int, int]] = []
        self._steps = 0
        self._last_step = -1

    def ordered(self, *, level: int, start: int) -> int:
        """Return the instance that numbers a new list."""
        self._instances.append((_NUMBERED, level, start))
        return BULLETS + len(self._instances)

    def step(self, number: int) -> int:
        """Return the instance that gives a step this number: that of the step before it when it goes on from there."""
        if number != self._last_step + 1 or not self._steps:
            self._instances.append((_STEPPED, 0, number))
            self._steps = BULLETS + len(self._instances)
        self._last_step = number
        return self._steps

    def element(self, accent: str) -> Element:
        """Return the root of the part; `accent` is the colour of bullets and numbers, as `RRGGBB`."""
        numbering = root("w:numbering")
        _define_lists(numbering, _BULLETED, "bullet", accent)
        _define_lists(numbering, _NUMBERED, "decimal", accent)
        _define_steps(numbering, accent)
        instance = add(numbering, "w:num", numId=BULLETS)
        add(instance, "w:abstractNumId", val=_BULLETED)
        for number, (definition, level, start) in enumerate(self._instances, start=BULLETS + 1):
            instance = add(numbering, "w:num", numId=number)
            add(instance, "w:abstractNumId", val=definition)
            override = add(instance, "w:lvlOverride", ilvl=level)
            add(override, "w:startOverride", val=start)
        return numbering


def _define(numbering: Element, definition: int, kind: str) -> Element:
    abstract = add(numbering, "w:abstractNum", abstractNumId=definition)
    # Word tells definitions of pasted text apart by this; it makes a random one where there is none.
    add(abstract, "w:nsid", val=f"5745{definition:04X}")
    add(abstract, "w:multiLevelType", val=kind)
    return abstract


def _define_lists(numbering: Element, definition: int, form: str, accent: str) -> None:
    abstract = _define(numbering, definition, "hybridMultilevel")
    for level in range(_LEVELS):
        text = "•" if form == "bullet" else f"%{level + 1}."
        properties = _define_level(abstract, level, form, text, left=(level + 1) * 400, hanging=340)
        if form == "decimal":
            add(properties, "w:b")
            add(properties, "w:bCs")
        add(properties, "w:color", val=accent)


def _define_steps(numbering: Element, accent: str) -> None:
    abstract = _define(numbering, _STEPPED, "singleLevel")
    properties = _define_level(abstract, 0, "decimal", "%1", left=0, hanging=STEP_HANG)
    add(properties, "w:b")
    add(properties, "w:bCs")
    add(properties, "w:color", val=accent)
    add(properties, "w:sz", val=32)
    add(properties, "w:szCs", val=32)


def _define_level(abstract: Element, level: int, form: str, text: str, *, left: int, hanging: int) -> Element:
    """Define a level and return the properties of its numbers."""
    defined = add(abstract, "w:lvl", ilvl=level)
    add(defined, "w:start", val=1)
    add(defined, "w:numFmt", val=form)
    add(defined, "w:lvlText", val=text)
    add(defined, "w:lvlJc", val="left")
    properties = add(defined, "w:pPr")
    add(properties, "w:ind", left=left, hanging=hanging)
    return add(defined, "w:rPr")
