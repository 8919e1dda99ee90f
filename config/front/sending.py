"""Send answers from the event loop, piece by piece, each when the client took the one before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from config.front.bodies import Message, Receive
from config.front.bounds import Bounds
from config.front.lanes import Lane
from config.front.wsgi import Answer

Send = Callable[[Message], Awaitable[None]]


async def deliver(
    answer: Answer, receive: Receive, send: Send, *, is_head: bool, bounds: Bounds, reads: Lane
) -> None:
    """Send an answer and close its file. A client that takes it slower than the pace, or went away, gets no more:
    then the last message is missing, and the server ends the connection."""
    headers = [*answer.headers, (b"connection", b"close")] if answer.is_last else answer.headers
    try:
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if answer.file is None or is_head:
            await _send_bytes(answer.body, send, bounds)
        else:
            await _send_file(answer.file, receive, send, bounds, reads)
    except TimeoutError:
        return
    finally:
        if answer.file is not None:
            await reads.run(answer.file.close)


async def _send_bytes(body: bytes, send: Send, bounds: Bounds) -> None:
    if len(body) <= bounds.answer.size:
        await send({"type": "http.response.body", "body": body})
        return
    for start in range(0, len(body), bounds.answer.size):
        await _send_piece(body[start : start + bounds.answer.size], send, bounds)
    await send({"type": "http.response.body", "body": b""})


async def _send_file(file: object, receive: Receive, send: Send, bounds: Bounds, reads: Lane) -> None:
    read: Callable[[int], bytes] = file.read  # type: ignore[attr-defined]
    async with _watch(receive) as gone:
        while piece := await reads.run(read, bounds.answer.size):
            await _send_piece(piece, send, bounds)
            if gone.done():
                return
    await send({"type": "http.response.body", "body": b""})


async def _send_piece(piece: bytes, send: Send, bounds: Bounds) -> None:
    """Send a piece; raise TimeoutError if the client takes too long. What our own disk took does not count."""
    async with asyncio.timeout(bounds.answer.seconds):
        await send({"type": "http.response.body", "body": piece, "more_body": True})


@asynccontextmanager
async def _watch(receive: Receive) -> AsyncIterator[asyncio.Task[None]]:
    """Yield a task that is done when the client has gone; the server drops what is sent from then on, in silence."""

    async def until_gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    task = asyncio.create_task(until_gone())
    try:
        yield task
    finally:
        task.cancel()
