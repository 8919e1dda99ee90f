"""Settings of an account in a web application with a dark theme are changed, without a word."""

from __future__ import annotations

from pathlib import Path

from tests.guides.recordings.stage import Stage
from tests.guides.recordings.web import Pages

WIDTH, HEIGHT, FPS, QUALITY, LANGUAGE = 1440, 900, 30, 29, "en"
PAGE = Path(__file__).resolve().parents[1] / "pages" / "settings.html"


def open_program() -> Pages:
    return Pages(PAGE, "nimbusrelay.example", (WIDTH, HEIGHT), dark=True)


def play(stage: Stage) -> None:
    stage.pause(0.6, 1)
    stage.click("#t-alerts", step="Open Alerts", opens="#alerts")
    stage.click("#digest", step="Turn on Weekly digest")
    stage.click("#sound", undone=True)
    stage.pause(0.8, 1.5)
    stage.click("#sound", undone=True)
    stage.scroll("main", 5)
    stage.click("#night", step="Turn on Quiet hours")
    stage.click("#save", step="Click Save changes")
    stage.pause(1, 1.6)
    stage.click("#t-security", step="Open Security", opens="#security")
    stage.click("#change", step="Click Change password", opens="#password-dialog")
    stage.click("#old")
    stage.type("#old", "maple-kettle-9", step="Enter the current password", secret=True)
    stage.click("#fresh")
    stage.type("#fresh", "tin-lanr\btern-42", step="Enter the new password", secret=True)
    stage.click("#update", step="Click Update password")
    stage.wait_gone("#password-dialog")
    stage.pause(1, 1.5)
    stage.click("#leave", opens="#leave-dialog", undone=True)
    stage.pause(1, 1.5)
    stage.click("#stay", undone=True)
    stage.click("#t-keys", step="Open API keys", opens="#keys")
    stage.click("#add", step="Click Create key", opens="#key-dialog")
    stage.click("#key-name")
    stage.type("#key-name", "Buidl\b\bld server", step="Enter the key name")
    stage.click("#scope", step="Open Scope", opens="#scope-menu")
    stage.click("#s-read", step="Choose Read only")
    stage.click("#make", step="Click Create")
    stage.pause(1.6, 2.2)
    stage.click("#t-billing", step="Open Billing", opens="#billing")
    stage.pause(1, 1.2)
