"""Take in the body of a request on the event loop, no slower than a pace and no longer than a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from config.api import errors
from config.front.bounds import Pace

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Write = Callable[[bytes], Awaitable[None]]


async def take_in(receive: Receive, write: Write, *, limit: int, pace: Pace) -> int:
    """Hand each piece of the body to `write`, and return the size in bytes.

    Raise 413 beyond `limit`, 408 if the client is slower than `pace`, and 400 if it goes away before the end. Only
    the time that the client takes counts: how long `write` waits for our own disk is no fault of its.
    """
    size, due, left, loop = 0, pace.size, pace.seconds, asyncio.get_running_loop()
    while True:
        asked = loop.time()
        try:
            async with asyncio.timeout(left):
                message = await receive()
        except TimeoutError as error:
            raise errors.too_slow() from error
        left -= loop.time() - asked
        if message["type"] == "http.disconnect":
            raise errors.cut_off()
        size += len(piece := message.get("body", b""))
        if size > limit:
            raise errors.too_large()
        await write(piece)
        if not message.get("more_body", False):
            return size
        if size >= due:
            due, left = size + pace.size, pace.seconds
