"""Read a screen in a child, from which bytes come back as they are."""

from __future__ import annotations

from collections.abc import Callable

from jobs.media.probe import Source
from jobs.media.screen.reading import read_screen
from jobs.media.screen.stored import screen_to_json


def read_screen_json(source: Source, *, on_progress: Callable[[float], None] | None = None) -> bytes:
    """Return what `read_screen` found, as it is stored. Raises what it raises."""
    return screen_to_json(read_screen(source, on_progress=on_progress))
