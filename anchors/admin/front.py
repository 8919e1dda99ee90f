"""What the front page of the admin shows of pictures: their bytes, and those that wait to be put on a block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from anchors.models import Asset, UnresolvedAnchor
from anchors.queries import newest_unresolved, waits_for_place
from config.admin.counts import Counted
from config.admin.front import STORED, STUCK, StoredFiles, Stuck, list_url, view_permission

MAX_READ = 1000  # resolutions, the newest, of which those that wait are counted


def waiting_pictures(user: Any) -> Iterator[Stuck]:
    """Yield the line of pictures that have no place in the newest version of their guide."""
    if not user.has_perm(view_permission(UnresolvedAnchor)):
        return
    newest, is_cut = newest_unresolved(MAX_READ)
    waiting = UnresolvedAnchor.objects.filter(newest, waits_for_place()).count()
    if waiting:
        counted = Counted(waiting, "at least" if is_cut else "")
        yield Stuck("Pictures without a place in their guide", counted, list_url(UnresolvedAnchor))


STORED.append(StoredFiles("Pictures", Asset, "size_bytes"))
STUCK.append(waiting_pictures)
