"""What is done on a stage, a virtual screen with a program on it, and what is kept of that: times, labels, places.

All times are seconds of time.time() until the recording is made: only then its clock is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.guides.recordings.display import Display, Hand
from tests.guides.recordings.voice import Clip, speak

Box = tuple[float, float, float, float]  # x, y, width, height in pixels of the screen
PATIENCE_S = 8


@dataclass(frozen=True)
class Control:
    """Something on the screen: what is written on it or beside it, and where it is."""

    label: str | None
    box: Box


class Program(Protocol):
    """What runs on the screen, and can be asked where its controls are."""

    def perform(self, play: Callable[[], None]) -> None:
        """Do what `play` does while the program runs."""

    def find(self, name: str) -> Control | None:
        """Return a control, or None while it is not shown."""

    def seen(self) -> list[tuple[float, list[dict[str, Any]]]]:
        """Return what should be hidden (kind, text, box) at each moment at which that was looked for."""


@dataclass
class Event:
    kind: str
    at: float
    control: Control
    end: float | None = None
    text: str | None = None


@dataclass
class Step:
    title: str
    at: float
    event: int | None
    words: str | None


@dataclass
class Stage:
    display: Display
    hand: Hand
    program: Program
    events: list[Event] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    undone: list[float] = field(default_factory=list)
    said: list[tuple[float, Clip]] = field(default_factory=list)

    def say(self, text: str, *, wait: float | None = None, step: str | None = None) -> None:
        """Begin to say a line. `wait`: go on after this share (0..1) of it; at once when None."""
        clip = speak(text)
        self.wait_said()
        begin = time.time() + 0.15
        self.said.append((begin, clip))
        if step:
            self.steps.append(Step(step, begin, None, None))
        if wait is not None:
            time.sleep(0.15 + wait * clip.seconds)

    def wait_said(self) -> None:
        """Wait until the last line is said, and for a breath."""
        if self.said:
            begin, clip = self.said[-1]
            time.sleep(max(0.0, begin + clip.seconds + 0.25 - time.time()))

    def pause(self, shortest: float = 0.5, longest: float = 1.1) -> None:
        self.hand.pause(shortest, longest)

    def click(
        self,
        name: str,
        *,
        step: str | None = None,
        opens: str | None = None,
        undone: bool = False,
        clicks: int = 1,
    ) -> None:
        """Move to a control and click it; `opens` is the window, dialog, menu or page that this opens.

        `step` is the title of the step that this is. `undone` is a click that is taken back, or that takes one back.
        """
        control = self.wait_for(name)
        self.hand.aim(control.box)
        self.pause(0.2, 0.45)
        control = self.wait_for(name)  # it may have moved, or be written on otherwise, below the pointer
        opened: list[float] = []

        def look() -> None:
            if opens and not opened and self.program.find(opens):
                opened.append(time.time())

        at = self.hand.click(look)
        for _ in range(clicks - 1):
            time.sleep(0.09)
            self.hand.click(look)
        self._keep(Event("click", at, control), step, undone)
        if opens:
            self.wait_opened(opens, *opened)
        self.pause()

    def type(
        self, name: str, text: str, *, step: str | None = None, secret: bool = False, opens: str | None = None
    ) -> None:
        """Type into the field that has the focus, the one of this name."""
        control = self.wait_for(name)
        begin, end = self.hand.type(text)
        event = Event("type", begin, control, end, None if secret else _typed(text))
        self._keep(event, step, False)
        if opens:
            self.wait_opened(opens)
        self.pause()

    def scroll(self, name: str, notches: int, *, step: str | None = None) -> None:
        """Move over a control and turn the wheel."""
        control = self.wait_for(name)
        x, y, width, height = control.box
        self.hand.aim((x + width * 0.3, y + height * 0.3, width * 0.4, height * 0.4))
        self.pause(0.2, 0.4)
        begin, end = self.hand.turn_wheel(notches)
        self._keep(Event("scroll", begin, Control(None, control.box), end), step, False)
        self.pause()

    def wait_for(self, name: str) -> Control:
        return _wait(lambda: self.program.find(name), name)

    def wait_gone(self, name: str) -> None:
        _wait(lambda: self.program.find(name) is None, name)

    def wait_opened(self, name: str, opened: float | None = None) -> None:
        """Wait for a window, dialog, menu or page, and keep that it opened."""
        self.wait_for(name)
        at = opened or time.time()
        time.sleep(0.35)  # until it has come to rest
        self.events.append(Event("window", at, self.wait_for(name)))

    def _keep(self, event: Event, step: str | None, undone: bool) -> None:
        if step:
            self.steps.append(Step(step, event.at, len(self.events), event.control.label))
        if undone:
            self.undone.append(event.at)
        self.events.append(event)


def _typed(text: str) -> str:
    letters: list[str] = []
    for letter in text:
        if letter != "\b":
            letters.append(letter)
        elif letters:
            letters.pop()
    return "".join(letters).strip()


def _wait(look: Callable[[], Any], name: str) -> Any:
    until = time.time() + PATIENCE_S
    while time.time() < until:
        if found := look():
            return found
        time.sleep(0.01)
    raise RuntimeError(f"{name} is not on the screen")
