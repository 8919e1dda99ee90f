"""The admin's pages of pictures and where they stand, and their part of a job's page."""

from __future__ import annotations

from anchors.admin import pages, panels, work

__all__ = ["pages", "panels", "work"]
