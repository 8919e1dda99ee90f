"""The Dramatiq actors of this room."""

from __future__ import annotations

from exports.models import Export
from jobs.work import actor

perform_export = actor(Export)
