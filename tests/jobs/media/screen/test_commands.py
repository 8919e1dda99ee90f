"""Commands that are typed in a terminal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame
from PIL import Image, ImageDraw

from jobs.media.screen import EventKind, read_screen
from jobs.media.screen.commands import commands_in
from jobs.media.screen.events import ScreenEvent
from jobs.media.screen.labels import Reader
from jobs.media.screen.sampling import Box, Sample
from jobs.media.screen.typing import Typing
from tests.jobs.media.screen.lettering import font
from tests.jobs.media.screen.stage import Stage

pytestmark = pytest.mark.slow
SIZE, HIGH, ROWS = 16, 26, 17


class Terminal:
    """A terminal that fills the screen: lines from the top down, which move up when there is no room below."""

    def __init__(self, prompt: str) -> None:
        self.stage = Stage(is_dark=True, has_pointer=False)
        self.prompt = prompt
        self.lines = [prompt]
        self.stage.wait(0.6)

    def show(self) -> None:
        for row in range(ROWS):
            shown = self.lines[-ROWS:][row] if row < len(self.lines[-ROWS:]) else ""
            self.stage.text(f"row {row}", (12, 10 + HIGH * row), shown, size=SIZE)

    def run(self, typed: str, *, completed: str = "", output: int = 2, pause_s: float = 0.4) -> None:
        """Type a command letter by letter, have the shell add the rest of it, and press Enter."""
        for count in range(1, len(typed) + 1):
            self.lines[-1] = self.prompt + typed[:count]
            self.show()
            self.stage.wait(0.14)
        self.lines[-1] += completed
        self.show()
        self.stage.wait(pause_s)
        self.lines += [f"entry {number * 37 % 101} of the directory" for number in range(output)]
        self.lines.append(self.prompt)
        self.show()
        self.stage.wait(1.5)

    def events(self, folder: Path) -> list[ScreenEvent]:
        events = read_screen(self.stage.record(folder / "v.mp4")).events
        return [event for event in events if event.kind in (EventKind.TYPE, EventKind.CLICK)]


def said(events: list[ScreenEvent]) -> list[tuple[str | None, str | None, bool]]:
    return [(event.label, event.text, event.is_command) for event in events]


@pytest.mark.parametrize("prompt", ["$ ", "anna@desk:~$ ", "> "])
def test_what_is_typed_at_a_prompt_is_a_command(prompt: str, tmp_path: Path) -> None:
    terminal = Terminal(prompt)
    terminal.run("mkdir notes")
    terminal.run("cat notes")
    events = terminal.events(tmp_path)
    assert [(event.text, event.is_command) for event in events] == [
        ("mkdir notes", True),
        ("cat notes", True),
    ]
    assert all((event.label or "").endswith(prompt[-2]) for event in events)


def test_a_command_that_the_shell_completes_is_read_whole(tmp_path: Path) -> None:
    terminal = Terminal("$ ")
    terminal.run("git clone", completed=" https://example.org/notes")
    assert said(terminal.events(tmp_path)) == [("$", "git clone https://example.org/notes", True)]


def test_a_command_is_read_before_its_output_moves_it_up(tmp_path: Path) -> None:
    terminal = Terminal("$ ")
    terminal.lines = [*(f"line {number * 53 % 97} of what was there" for number in range(ROWS)), "$ "]
    terminal.show()
    terminal.stage.wait(0.5)
    terminal.run("cat letter", output=9, pause_s=0.14)
    assert said(terminal.events(tmp_path)) == [("$", "cat letter", True)]


def test_a_currency_before_a_field_is_no_prompt(tmp_path: Path) -> None:
    stage = Stage(has_pointer=False)
    stage.text("sign", (100, 105), "$")
    field = (120, 100, 420, 132)
    stage.field("price", field)
    stage.wait(0.6)
    stage.type("price", field, "twelve")
    (typed,) = read_screen(stage.record(tmp_path / "v.mp4")).events
    assert (typed.text, typed.is_command) == ("twelve", False)


def commands(rows: list[str], lines: list[Box]) -> list[tuple[str, str]]:
    """Return prompt and text of the commands of a stretch of typing that left these rows, and changed these boxes."""
    image = Image.new("RGB", (800, 480), "white")
    for place, row in enumerate(rows):
        ImageDraw.Draw(image).text((12, 10 + HIGH * place), row, fill="black", font=font(SIZE))
    sample = Sample(0, VideoFrame.from_ndarray(np.asarray(image), format="rgb24"))
    typing = Typing(sample, 0, 900, lines, [0] * len(lines), lines[-1], after=sample)
    return [(found.prompt, found.text) for found in commands_in(Reader(), typing, None)]


FIRST, SECOND = Box(28, 12, 130, 32), Box(28, 38, 130, 58)


def test_a_line_below_a_command_has_its_prompt_too() -> None:
    indented = "    print notes"
    assert commands(["$  make notes", indented], [FIRST, SECOND]) == [
        ("$", "make notes"),
        ("$", "print notes"),
    ]
    assert commands(["make notes", indented], [FIRST, SECOND]) == []


def test_what_begins_where_a_prompt_does_is_no_command() -> None:
    from_the_edge = [Box(10, *FIRST[1:]), Box(10, *SECOND[1:])]
    assert commands(["$  make notes", "print notes"], from_the_edge) == [("$", "make notes")]
