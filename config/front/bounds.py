"""What the front allows: how slow a client may be, and how many requests run and wait."""

from __future__ import annotations

from dataclasses import dataclass

KIB, MIB = 2**10, 2**20


@dataclass(frozen=True)
class Pace:
    """The slowest that a client may be: so many bytes in so many seconds, and again, until all are there.

    This is one rule for silence, for a trickle and for the whole time: n bytes take `seconds * (n / size + 1)` at most.
    """

    size: int  # bytes
    seconds: float


@dataclass(frozen=True)
class Pool:
    """So many threads, and so many requests that may wait for one of them."""

    threads: int
    waiting: int


@dataclass(frozen=True)
class Bounds:
    body: Pace = Pace(40 * KIB, 10)  # 4 KiB/s
    upload: Pace = Pace(480 * KIB, 30)  # 16 KiB/s
    answer: Pace = Pace(64 * KIB, 30)  # 2 KiB/s
    buffered: int = (
        512 * MIB
    )  # bytes of all bodies that are here, but for uploads; beyond 64 KiB each, on the disk
    api: Pool = Pool(4, 256)
    # Of these two, one user holds all but one at most (MAX_MEDIA_CALLS, MAX_CALLERS).
    heavy: Pool = Pool(3, 32)
    calls: Pool = Pool(4, 64)
    health: Pool = Pool(1, 64)
    ready: Pool = Pool(1, 16)
    refusals: Pool = Pool(1, 256)  # each for less than a millisecond of CPU
    # Threads that read and write files for the loop. Each connection has one call under way at most, and the server
    # bounds the connections.
    reads: Pool = Pool(2, 10_000)
    writes: Pool = Pool(4, 10_000)  # each may wait for the disk when an upload is complete
