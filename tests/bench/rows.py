"""The rows of `make bench`, in groups: each is a module of this folder, and measured in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """The rows of a module. `has_database`: it is measured with PostgreSQL running and our tables made."""

    rows: tuple[str, ...]
    has_database: bool = False


GROUPS: dict[str, Group] = {
    "reads": Group(("get", "not-modified", "list", "queries", "twin"), has_database=True),
    "callbacks": Group(("callback", "hot-job"), has_database=True),
    "growth": Group(("growth",), has_database=True),
    "admin": Group(("admin",), has_database=True),
    "frames": Group(("frame", "bucket-frame", "close-frames", "frame-memory")),
    "annotations": Group(("annotation",)),
    "instructions": Group(("save", "document", "draft"), has_database=True),
    "documents": Group(("pdf",)),
    "backfill": Group(("backfill",), has_database=True),
    "claims": Group(("claim",), has_database=True),
    "uploads": Group(("upload",), has_database=True),
    "speech": Group(("speech",)),
    "start": Group(("start",)),
}
ROWS = [row for group in GROUPS.values() for row in group.rows]
