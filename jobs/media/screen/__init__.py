"""What the screen of a recording shows being done: clicks, typing, scrolls and windows that open."""

from jobs.media.screen.events import EventKind, Frame, Region, Screen, ScreenEvent, ScreenInvalid
from jobs.media.screen.reading import read_screen

__all__ = ["EventKind", "Frame", "Region", "Screen", "ScreenEvent", "ScreenInvalid", "read_screen"]
