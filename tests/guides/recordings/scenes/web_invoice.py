"""An invoice is made in a web application, and told by the one who makes it."""

from __future__ import annotations

from pathlib import Path

from tests.guides.recordings.stage import Stage
from tests.guides.recordings.web import Pages

WIDTH, HEIGHT, FPS, QUALITY, LANGUAGE = 1280, 800, 15, 27, "en"
PAGE = Path(__file__).resolve().parents[1] / "pages" / "invoice.html"


def open_program() -> Pages:
    return Pages(PAGE, "tallybrook.example", (WIDTH, HEIGHT))


def play(stage: Stage) -> None:
    stage.say("Okay, so first we click on new invoice, up here on the right.", wait=0.4)
    stage.click("#new", step="Click New invoice", opens="#dialog")
    stage.say("The customer is Harbour Bakery.", wait=0.5)
    stage.click("#customer")
    stage.type("#customer", "Harbor\b\bour Bakery", step="Enter the customer")
    stage.say("For the dunning profile I pick gentle. They are nice people.", wait=0.2)
    stage.click("#dunning", step="Open Dunning profile", opens="#dunning-menu")
    stage.click("#d-gentle", step="Choose Gentle")
    stage.say("And it is due on the fourteenth of March.", wait=0.3)
    stage.click("#due", step="Open Due date", opens="#calendar")
    stage.click("#day-14", step="Choose the 14th")
    stage.say("We used to do all of this on paper, you would not believe it.", wait=0.8)
    stage.say("Now scroll down to the oak shelf, and tick that.", wait=0.3)
    stage.scroll("#items", 3)
    stage.click("#item-12", step="Tick Oak shelf")
    stage.click("#copy-row", step="Tick Send a copy to me")
    stage.say("And then create invoice.", wait=0.5)
    stage.click("#create", step="Click Create invoice", opens="#detail")
    stage.say("Here it is. I check the address once more, and send now.", wait=0.6)
    stage.click("#send", step="Click Send now")
    stage.say("That's all.", wait=1)
