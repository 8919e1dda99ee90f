"""The admin's pages of exports, and their part of its front page."""

from __future__ import annotations

from exports.admin import front, pages

__all__ = ["front", "pages"]
