"""Uploads with a ticket: streamed into a draft of the file, before the view is given a thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.db import close_old_connections

from config.api import limits
from config.front.bodies import Receive, take_in
from config.front.bounds import KIB, Pace
from config.front.lanes import Lane
from config.storage.base import Draft
from config.storage.uploads import Admission, admit_upload, new_draft

# Bytes that are kept in memory before they are written: a 64th of what has come, so that only an upload that brings
# much takes much.
MIN_BATCH, MAX_BATCH, SHARE = 64 * KIB, 1024 * KIB, 64
# A slow one is written this often all the same: a draft to which nothing is written counts as that of a dead writer.
MAX_SECONDS = 15.0


def admitted(path: str, length: int | None, content_type: str) -> Admission:
    """Return what the upload with this path may write; raise ApiError if its bytes are not to be taken in."""
    try:
        return admit_upload(path.removeprefix(limits.UPLOADS), length, content_type)
    finally:
        close_old_connections()


@asynccontextmanager
async def receiving(receive: Receive, admission: Admission, pace: Pace, writes: Lane) -> AsyncIterator[Draft]:
    """Yield a draft with all bytes of the body, on the disk; it is gone after the block, unless it got its name."""
    draft = await writes.run(new_draft, admission)
    writer = _Writer(draft, writes)
    try:
        await take_in(receive, writer.write, limit=admission.limit, pace=pace)
        await writer.finish()
        yield draft
    finally:
        await writer.end()
        await writes.run(draft.discard)


class _Writer:
    """Writes batches in the threads for files, one at a time, while the next one comes in."""

    def __init__(self, draft: Draft, writes: Lane) -> None:
        self._draft, self._writes = draft, writes
        self._batch: list[bytes] = []
        self._size, self._total = 0, 0
        self._written_at = time.monotonic()
        self._under_way: asyncio.Future[None] | None = None

    async def write(self, piece: bytes) -> None:
        self._batch.append(piece)
        self._size += len(piece)
        self._total += len(piece)
        is_large = self._size >= min(MAX_BATCH, max(MIN_BATCH, self._total // SHARE))
        if is_large or time.monotonic() - self._written_at >= MAX_SECONDS:
            await self._flush()

    async def finish(self) -> None:
        """Return when all bytes are on the disk; raise OSError if one could not be written."""
        await self._flush()
        await self._settle()
        await self._writes.run(self._draft.finish)

    async def end(self) -> None:
        """Return when no write is under way any more, whether it succeeded or not."""
        if self._under_way:
            await asyncio.gather(self._under_way, return_exceptions=True)

    async def _flush(self) -> None:
        await self._settle()
        batch, self._batch, self._size = self._batch, [], 0
        self._written_at = time.monotonic()
        self._under_way = asyncio.ensure_future(self._writes.run(self._draft.write, batch))

    async def _settle(self) -> None:
        if self._under_way:
            await self._under_way
            self._under_way = None
