"""Goods are received in a desktop program, and told by the one who does it."""

from __future__ import annotations

from tests.guides.recordings.desk import Desk
from tests.guides.recordings.programs.inventory import Inventory
from tests.guides.recordings.stage import Stage

WIDTH, HEIGHT, FPS, QUALITY, LANGUAGE = 1920, 1080, 15, 28, "en"


def open_program() -> Desk:
    return Desk(Inventory, (WIDTH, HEIGHT), ("#4a5f4f", "#556c5a"))


def play(stage: Stage) -> None:
    stage.say("Right, a box of bolts has come in, so let's book that.", wait=0.5)
    stage.click("Fasteners", step="Open Fasteners", clicks=2)
    stage.say("In fasteners, I choose bolts.", wait=0.4)
    stage.click("Bolts", step="Choose Bolts")
    stage.say("The list is long, so I scroll down, to the flange bolt M ten.", wait=0.4)
    stage.scroll("table", 4)
    stage.click("Flange bolt M10", step="Choose Flange bolt M10")
    stage.say("Then the goods menu, and receive goods.", wait=0.3)
    stage.click("Goods", step="Open the Goods menu", opens="Goods menu")
    stage.click("Goods menu/Receive goods...", step="Choose Receive goods...", opens="receive")
    stage.say("The quantity is two hundred and fifty.", wait=0.3)
    stage.click("quantity")
    stage.type("quantity", "205\b\b50", step="Enter the quantity")
    stage.say("Put away in, quarantine, until somebody has looked at them.", wait=0.3)
    stage.click("place", step="Open Put away in", opens="places")
    stage.click("places/Quarantine", step="Choose Quarantine")
    stage.click("note")
    stage.type("note", "DN-7741", step="Enter the delivery note")
    stage.say("I do want the bin labels.", wait=0.5)
    stage.click("labels", step="Tick Print bin labels")
    stage.say("And book receipt.", wait=0.4)
    stage.click("book", step="Click Book receipt")
    stage.pause(1.4, 1.8)
    stage.say("If something is missing, the supplier is up here.", wait=0.3)
    stage.click("Suppliers", step="Open the Suppliers menu", opens="Suppliers menu")
    stage.click("Suppliers menu/Show supplier...", step="Choose Show supplier...", opens="supplier")
    stage.pause(1.2, 1.6)
    stage.click("close", step="Click Close")
