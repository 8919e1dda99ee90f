"""The lanes: queues by kind of work, each with threads of its own, so that short work never waits behind long."""

from __future__ import annotations

from enum import StrEnum


class Lane(StrEnum):
    CONTROL = "control"  # words to an orchestrator: seconds
    MEDIA = "media"  # pictures out of a video: seconds
    EXPORTS = "exports"  # rendering: seconds to a minute
    LANGUAGE = "language"  # passages that a language model rewrites: seconds to a minute, mostly waiting
    SPEECH = "speech"  # the pipeline of short recordings: minutes
    BACKFILL = (
        "backfill"  # the pipeline of recordings that are long, or of unknown length, and other bulk work
    )
    EXPORT_BACKFILL = "export_backfill"  # what operators have rendered again, for all owners: hours


BULK = (Lane.EXPORT_BACKFILL,)
"""Lanes of what no owner has asked for: it counts into no owner's limit."""
