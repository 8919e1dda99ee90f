"""Bodies on their way: how many bytes there may be, and in which thread the disk is written."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from config.api.errors import ApiError
from config.front.bounds import Pool
from config.front.buffers import IN_MEMORY, Buffers
from config.front.lanes import Lane


@pytest.fixture
def writes() -> Iterator[Lane]:
    lane = Lane("writes", Pool(1, 9))
    yield lane
    lane.close()


@pytest.mark.parametrize("size", [10, IN_MEMORY, IN_MEMORY + 1, 5 * IN_MEMORY])
def test_a_body_comes_out_as_it_went_in(writes: Lane, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)

    async def through() -> bytes:
        async with Buffers(2**20, writes).new() as buffer:
            for start in range(0, size, 20_000):
                await buffer.write(content[start : min(start + 20_000, size)])
            await buffer.rewind()
            return bytes(buffer.file.read())

    assert asyncio.run(through()) == content[:size]


def test_all_bodies_together_have_a_limit(writes: Lane) -> None:
    async def fill() -> None:
        buffers = Buffers(100, writes)
        async with buffers.new() as first, buffers.new() as second:
            await first.write(b"x" * 60)
            with pytest.raises(ApiError) as caught:
                await second.write(b"x" * 41)
            assert (caught.value.status, caught.value.headers) == (503, {"Retry-After": "2"})
            await second.write(b"x" * 40)
        assert buffers.taken == 0
        async with buffers.new() as third:
            await third.write(b"x" * 100)

    asyncio.run(fill())


def test_the_loop_never_touches_the_temporary_file(writes: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    async def write() -> set[str]:
        names: set[str] = set()
        async with Buffers(2**20, writes).new() as buffer:
            for name in ("write", "seek", "close"):
                monkeypatch.setattr(buffer.file, name, noting(names, getattr(buffer.file, name)))
            await buffer.write(b"x" * (IN_MEMORY + 1))
            await buffer.rewind()
        return names

    def noting(names: set[str], function: object) -> object:
        def noted(*arguments: object) -> object:
            names.add(threading.current_thread().name)
            return function(*arguments)  # type: ignore[operator]

        return noted

    assert asyncio.run(write()) == {"writes-0"}


def test_a_cut_off_write_ends_before_its_file_is_closed(
    writes: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    begun, may_end = threading.Event(), threading.Event()

    def write(piece: bytes) -> None:
        begun.set()
        may_end.wait(5)
        done.append("written")

    async def cut_off() -> None:
        async def take() -> None:
            async with Buffers(2**20, Lane("two", Pool(2, 9))).new() as buffer:
                monkeypatch.setattr(buffer.file, "write", write)
                monkeypatch.setattr(buffer.file, "close", lambda: done.append("closed"))
                await buffer.write(b"x" * (IN_MEMORY + 1))

        task = asyncio.create_task(take())
        await asyncio.to_thread(begun.wait, 5)
        task.cancel()
        asyncio.get_running_loop().call_later(0.1, may_end.set)
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cut_off())
    assert done == ["written", "closed"]
