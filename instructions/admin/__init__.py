"""The admin's pages of documents and their versions, and their part of a job's page."""

from __future__ import annotations

from instructions.admin import pages

__all__ = ["pages"]
