"""The admin's pages of pictures and where they stand, and their part of a job's page."""

from __future__ import annotations

from anchors.admin import front, pages, panels, queue, work

__all__ = ["front", "pages", "panels", "queue", "work"]
