"""What a call in a child may take, by kind of work."""

from __future__ import annotations

from dataclasses import dataclass, replace

MIB = 2**20
GIB = 2**30


@dataclass(frozen=True)
class Limits:
    """`memory_bytes` is address space, in which libraries and thread stacks count too. `wall_seconds` is time that
    passes, waiting for a free child apart. `file_bytes` is the largest file that may be written.

    For work on the whole of a recording, each second of it adds `cpu_per_second` and `wall_per_second`.
    """

    memory_bytes: int
    cpu_seconds: float
    wall_seconds: float
    file_bytes: int = 16 * MIB
    cpu_per_second: float = 0.0
    wall_per_second: float = 0.0

    def lasting(self, duration_ms: int) -> Limits:
        """Return the limits for a recording of this length."""
        seconds = duration_ms / 1000
        return replace(
            self,
            cpu_seconds=self.cpu_seconds + self.cpu_per_second * seconds,
            wall_seconds=self.wall_seconds + self.wall_per_second * seconds,
        )


PROBE = Limits(memory_bytes=1 * GIB, cpu_seconds=10, wall_seconds=30)
SOUND = Limits(
    memory_bytes=1 * GIB,
    cpu_seconds=30,
    wall_seconds=60,
    file_bytes=4 * GIB,
    cpu_per_second=0.1,
    wall_per_second=0.2,
)
SUBTITLES = Limits(memory_bytes=1 * GIB, cpu_seconds=20, wall_seconds=60)
SPEECH = Limits(
    memory_bytes=4 * GIB, cpu_seconds=300, wall_seconds=300, cpu_per_second=8.0, wall_per_second=4.0
)
FRAME = Limits(memory_bytes=2 * GIB, cpu_seconds=60, wall_seconds=60)
ANNOTATION = Limits(memory_bytes=1 * GIB, cpu_seconds=20, wall_seconds=30)
EXPORT = Limits(memory_bytes=3 * GIB, cpu_seconds=300, wall_seconds=600, file_bytes=128 * MIB)
