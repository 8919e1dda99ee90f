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

    Raise 413 beyond `limit`, 408 if the client is slower than `pace`, and 400 if it goes away before the end.
    """
    size, due, loop = 0, pace.size, asyncio.get_running_loop()
    try:
        async with asyncio.timeout(pace.seconds) as clock:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise errors.cut_off()
                size += len(piece := message.get("body", b""))
                if size > limit:
                    raise errors.too_large()
                await write(piece)
                if not message.get("more_body", False):
                    return size
                if size >= due:
                    due = size + pace.size
                    clock.reschedule(loop.time() + pace.seconds)
    except TimeoutError as error:
        raise errors.too_slow() from error
