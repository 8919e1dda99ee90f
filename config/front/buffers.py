"""Bodies on their way to the application: in memory, or in a temporary file, and bounded over all requests."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from config.api import errors
from config.front.bounds import KIB
from config.front.lanes import Lane

IN_MEMORY = 64 * KIB  # of a body; what is beyond goes to a temporary file


class Buffers:
    """All bodies of this process that are being taken in, or read by a thread."""

    def __init__(self, limit: int, writes: Lane) -> None:
        self.limit, self.taken = limit, 0  # bytes
        self._writes = writes

    @asynccontextmanager
    async def new(self) -> AsyncIterator[Buffer]:
        """Yield an empty buffer, which is gone after the block."""
        buffer = Buffer(self, self._writes)
        try:
            yield buffer
        finally:
            self.taken -= buffer.size
            await buffer.end()


class Buffer:
    """`file` is what was written. Whatever touches the disk runs in the threads for writing."""

    def __init__(self, buffers: Buffers, writes: Lane) -> None:
        self.file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (`end` closes it)
        self.size = 0
        self._buffers, self._writes = buffers, writes
        self._under_way: asyncio.Future[int] | None = None

    async def write(self, piece: bytes) -> None:
        """Add a piece of the body; raise 503 if all bodies together have too many bytes already."""
        if self._buffers.taken + len(piece) > self._buffers.limit:
            raise errors.overloaded()
        self._buffers.taken += len(piece)
        self.size += len(piece)
        if self.size <= IN_MEMORY:
            self.file.write(piece)
            return
        self._under_way = asyncio.ensure_future(self._writes.run(self.file.write, piece))
        await asyncio.shield(self._under_way)

    async def rewind(self) -> None:
        """Go to the beginning, where the application reads."""
        if self.size <= IN_MEMORY:
            self.file.seek(0)
        else:
            await self._writes.run(self.file.seek, 0)

    async def end(self) -> None:
        """Close the file when no write is under way any more; its bytes are gone."""
        if self.size <= IN_MEMORY:
            self.file.close()
            return
        if self._under_way:
            await asyncio.gather(self._under_way, return_exceptions=True)
        await self._writes.run(self.file.close)
