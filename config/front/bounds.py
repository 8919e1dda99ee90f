"""What the front allows: how slow a client may be, and how many requests run and wait."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 2**10


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
    api: Pool = Pool(4, 256)
    heavy: Pool = Pool(2, 32)
    health: Pool = Pool(1, 64)
    ready: Pool = Pool(1, 16)
    # Threads that read and write files for the loop. Each connection has one call under way at most, and the server
    # bounds the connections.
    reads: Pool = Pool(2, 10_000)
    writes: Pool = Pool(4, 10_000)  # each may wait for the disk when an upload is complete
