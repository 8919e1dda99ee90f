"""What screens show, and engines that find it in whatever video; they run in a child, without Django."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from jobs.media.probe import UnreadableVideo
from jobs.media.screen import EventKind, Region, Screen, ScreenEvent
from jobs.media.screen.stored import screen_to_json
from jobs.media.transcripts import Segment, Transcript

SCREEN = Screen(
    (
        ScreenEvent(
            1840, EventKind.CLICK, Region(0.82, 0.06, 0.07, 0.04), 0.93, label="New", pointer=(0.85, 0.08)
        ),
        ScreenEvent(
            3000, EventKind.TYPE, Region(0.2, 0.3, 0.4, 0.05), 0.8, end_ms=4000, label="Name", text="Ada"
        ),
    ),
    words=("Orders",),
)
STILL = Screen(note="Nothing moves in this video.")


def find_events() -> bytes:
    return screen_to_json(SCREEN)


def find_nothing() -> bytes:
    return screen_to_json(STILL)


def find_nonsense() -> bytes:
    return b'{"events": [{"kind": "stare"}]}'


def find_too_much() -> bytes:
    return b'{"events": []}' + b" " * (17 * 2**20)


def refuse_the_video() -> bytes:
    raise UnreadableVideo("UNDECODABLE", "The file is damaged.")


def find_events_and_report(video: Any, *, on_progress: Callable[[float], None]) -> bytes:
    on_progress(0.5)
    on_progress(1.0)
    return find_events()


def find_events_slowly(video: Any, *, on_progress: Callable[[float], None]) -> bytes:
    """Report, and leave a second in which it may be killed."""
    on_progress(0.5)
    time.sleep(1)
    return find_events()


class HearingHotWords:
    """A recogniser that hears the names it is told, and nothing else."""

    def transcribe(self, *, hot_words: Sequence[str], **_: Any) -> Transcript:
        return Transcript("en", tuple(Segment(0, 900, name) for name in hot_words), "test")


class Hearing:
    """A recogniser that hears always the same."""

    def __init__(self, *texts: str) -> None:
        self._texts = texts

    def transcribe(self, **_: Any) -> Transcript:
        said = enumerate(self._texts)
        return Transcript("en", tuple(Segment(at * 1000, at * 1000 + 900, text) for at, text in said), "test")
