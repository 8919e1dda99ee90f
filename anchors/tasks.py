"""The Dramatiq actors of this room."""

from __future__ import annotations

from anchors.models import ScreenshotTask
from jobs.work import actor

perform_screenshot = actor(ScreenshotTask)
