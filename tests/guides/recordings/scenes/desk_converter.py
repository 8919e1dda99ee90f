"""Sound files are converted in a desktop program, without a word."""

from __future__ import annotations

from tests.guides.recordings.desk import Desk
from tests.guides.recordings.programs.converter import Converter
from tests.guides.recordings.stage import Stage

WIDTH, HEIGHT, FPS, QUALITY, LANGUAGE = 1280, 800, 30, 28, "en"


def open_program() -> Desk:
    return Desk(Converter, (WIDTH, HEIGHT), ("#6c7a89", "#778696"))


def play(stage: Stage) -> None:
    stage.pause(0.8, 1.2)
    stage.scroll("table", 3)
    stage.pause(0.5, 1)
    stage.click("Queue", opens="Queue menu", undone=True)
    stage.click("Queue menu/Remove all...", opens="ask", undone=True)
    stage.pause(1, 1.8)
    stage.click("keep", undone=True)
    stage.click("format tab", step="Open Output format", opens="format page")
    stage.click("kind", step="Open Format", opens="kinds")
    stage.click("kinds/Opus", step="Choose Opus")
    stage.click("prefix")
    stage.type("prefix", "feil\b\b\bield_2027_", step="Enter the name prefix")
    stage.click("key")
    stage.type("key", "reed-pipe-31", step="Enter the archive password", secret=True)
    stage.click("48 kHz", step="Choose 48 kHz")
    stage.click("Even out loudness", step="Tick Even out loudness")
    stage.pause(0.8, 1.5)
    stage.click("Trim silence", undone=True)
    stage.pause(0.6, 1.2)
    stage.click("Trim silence", undone=True)
    stage.click("convert", step="Click Convert")
    stage.wait_opened("finished")
    stage.pause(0.8, 1.4)
    stage.click("fine", step="Click Close")
    stage.click("Help", step="Open the Help menu", opens="Help menu")
    stage.click("Help menu/Licence...", step="Choose Licence...", opens="licence")
    stage.pause(1.4, 2)
    stage.click("ok", step="Click OK")
