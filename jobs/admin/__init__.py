"""The admin's pages of projects and jobs."""

from __future__ import annotations

from jobs.admin import pages

__all__ = ["pages"]
