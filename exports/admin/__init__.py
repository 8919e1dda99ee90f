"""The admin's pages of exports, and their part of its front page."""

from __future__ import annotations

from exports.admin import front, pages, panels

__all__ = ["front", "pages", "panels"]
