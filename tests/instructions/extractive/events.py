"""Events of a screen, for tests of the steps that are drafted from them."""

from __future__ import annotations

from typing import Any

from jobs.media.screen.events import EventKind, Frame, Region, ScreenEvent

BUTTON = Region(0.1, 0.1, 0.1, 0.05)
FAR = Region(0.7, 0.7, 0.1, 0.05)
DIALOG = Region(0.2, 0.2, 0.6, 0.6)
MENU = Region(0.1, 0.15, 0.2, 0.3)
CHOICE = Region(0.12, 0.2, 0.1, 0.05)


def event(kind: EventKind, at_ms: int, label: str | None, **more: Any) -> ScreenEvent:
    given = {"region": BUTTON, "confidence": 0.9, "frame": frame(at_ms), **more}
    return ScreenEvent(kind=kind, at_ms=at_ms, label=label, **given)


def frame(at_ms: int) -> Frame:
    return Frame(at_ms * 90, f"{at_ms:064x}")


def click(at_ms: int, label: str | None = None, **more: Any) -> ScreenEvent:
    return event(EventKind.CLICK, at_ms, label, **more)


def typed(at_ms: int, label: str | None = None, text: str | None = None, **more: Any) -> ScreenEvent:
    return event(EventKind.TYPE, at_ms, label, text=text, end_ms=at_ms + 900, **more)


def window(at_ms: int, label: str | None = None, **more: Any) -> ScreenEvent:
    return event(EventKind.WINDOW, at_ms, label, **{"region": DIALOG, **more})


def scroll(at_ms: int) -> ScreenEvent:
    return event(EventKind.SCROLL, at_ms, None, end_ms=at_ms + 500)
