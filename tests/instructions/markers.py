"""Ids and markers for tests of blocks."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable

from instructions.blocks import ensure_markers

A, B, C = (f"0190a000-0000-7000-8000-00000000000{digit}" for digit in "abc")


def counted_ids() -> Callable[[], str]:
    counter = itertools.count(1)
    return lambda: str(uuid.UUID(int=next(counter)))


def marked(markdown: str) -> str:
    return ensure_markers(markdown, counted_ids())
