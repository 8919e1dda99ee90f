"""The admin's pages of workers and of what they do."""

from __future__ import annotations

from config.work.admin import front, pages
from config.work.admin.pages import StuckWorkFilter, WorkAdmin, WorkStatusFilter

__all__ = ["StuckWorkFilter", "WorkAdmin", "WorkStatusFilter", "front", "pages"]
