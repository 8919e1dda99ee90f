"""Whether the bytes of an upload are taken in: asked before they come, and again by the view."""

from __future__ import annotations

from typing import Any

from config.api import errors


def admit_upload(ticket: dict[str, Any], length: int | None) -> None:
    """Raise ApiError if an upload with this ticket is refused. `length` in bytes is None for a chunked body."""
    if length is not None and length > ticket["max"]:
        raise errors.too_large()
