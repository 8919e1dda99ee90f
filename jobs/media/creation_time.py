"""When a recording was made, by what its file says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

# MP4, MOV and Matroska have the first, as FFmpeg names it; that of QuickTime is local time with its offset.
_KEYS = ("creation_time", "com.apple.quicktime.creationdate")
# Clocks that were never set say 1904 or 1970.
_FIRST_YEAR = 1990


def recorded_at(metadata: Mapping[str, str]) -> str | None:
    """Return the time in a file's metadata, in ISO 8601 and UTC, to the second; None when there is none to trust."""
    for key in _KEYS:
        try:
            at = datetime.fromisoformat(metadata.get(key, ""))
        except ValueError:
            continue
        # The last year of the calendar has times that UTC has not.
        if _FIRST_YEAR <= at.year < 9999:
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
            return at.isoformat(timespec="seconds")
    return None
