"""The admin's pages of projects and jobs."""

from __future__ import annotations

from jobs.admin import front, pages

__all__ = ["front", "pages"]
