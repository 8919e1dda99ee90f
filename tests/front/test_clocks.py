"""Whose time counts: the client's, and not what our own threads and disk take."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from config.api.errors import ApiError
from config.front.bodies import take_in
from config.front.bounds import Bounds, Pace, Pool
from config.front.lanes import Lane
from config.front.sending import deliver
from config.front.wsgi import Answer

PACE = Pace(1000, 0.3)


def client(pieces: list[tuple[float, bytes]]) -> Any:
    """Return the `receive` of a client that waits so many seconds before each piece."""
    left = list(pieces)

    async def receive() -> dict[str, Any]:
        seconds, body = left.pop(0)
        await asyncio.sleep(seconds)
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    return receive


def taken_in(pieces: list[tuple[float, bytes]], *, write_seconds: float) -> int:
    async def write(piece: bytes) -> None:
        await asyncio.sleep(write_seconds)

    async def take() -> int:
        return await take_in(client(pieces), write, limit=5000, pace=PACE)

    return asyncio.run(take())


def test_a_slow_disk_of_ours_cuts_no_body_off() -> None:
    assert taken_in([(0, b"x")] * 4, write_seconds=0.2) == 4


def test_what_a_client_waits_is_added_up_between_its_pieces() -> None:
    with pytest.raises(ApiError) as caught:
        taken_in([(0.12, b"x")] * 4, write_seconds=0.05)
    assert caught.value.status == 408
    assert taken_in([(0.12, b"x" * 600)] * 4, write_seconds=0) == 2400


class SlowFile:
    def __init__(self) -> None:
        self.pieces = [b"a", b"b", b""]

    def read(self, size: int) -> bytes:
        time.sleep(0.3)
        return self.pieces.pop(0)

    def close(self) -> None:
        pass


def test_a_slow_disk_of_ours_cuts_no_answer_off() -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def answer() -> None:
        reads, bounds = Lane("reads", Pool(1, 9)), Bounds(answer=Pace(1000, 0.1))
        await deliver(
            Answer(200, [], file=SlowFile()), receive, send, is_head=False, bounds=bounds, reads=reads
        )

    asyncio.run(answer())
    assert [message.get("body") for message in sent[1:]] == [b"a", b"b", b""]
    assert not sent[-1].get("more_body", False)
