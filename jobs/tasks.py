"""The Dramatiq actors of this room."""

from __future__ import annotations

from jobs.models import Dispatch
from jobs.work import actor

perform_dispatch = actor(Dispatch)
