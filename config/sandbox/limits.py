"""What a call in a child may take, by kind of work."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

MIB = 2**20
GIB = 2**30


@dataclass(frozen=True)
class Limits:
    """`memory_bytes` is address space, in which libraries and thread stacks count too. `wall_seconds` is time that
    passes, waiting for a free child apart. `file_bytes` is the largest file that may be written.

    For work on the whole of a recording, each second of it adds `cpu_per_second` and `wall_per_second`, the latter up
    to `max_wall_seconds`.
    """

    memory_bytes: int
    cpu_seconds: float
    wall_seconds: float
    file_bytes: int = 16 * MIB
    cpu_per_second: float = 0.0
    wall_per_second: float = 0.0
    max_wall_seconds: float = math.inf

    def lasting(self, duration_ms: int) -> Limits:
        """Return the limits for a recording of this length."""
        seconds = duration_ms / 1000
        return replace(
            self,
            cpu_seconds=self.cpu_seconds + self.cpu_per_second * seconds,
            wall_seconds=min(self.wall_seconds + self.wall_per_second * seconds, self.max_wall_seconds),
        )


# Each has at least twice what ordinary work was measured to take (address space, processor time on one core of 2024):
# a recording of 8K takes 350 MiB; one of 12 hours without a length in its header, all of whose packets are read, 13 s.
# A thread of the web process waits for it.
PROBE = Limits(memory_bytes=1 * GIB, cpu_seconds=30, wall_seconds=30)

# An hour of speech takes 280 MiB and 4 s; 23 hours of silence 14 s. The file of a day may have 2.7 GB.
SOUND = Limits(
    memory_bytes=1 * GIB,
    cpu_seconds=30,
    wall_seconds=60,
    file_bytes=4 * GIB,
    cpu_per_second=0.02,
    wall_per_second=0.05,
)

# All packets are passed over once; 40,000 subtitles take 5 s.
SUBTITLES = Limits(
    memory_bytes=1 * GIB, cpu_seconds=20, wall_seconds=60, cpu_per_second=0.005, wall_per_second=0.02
)

# The packaged model takes 700 MiB (1 GiB of address space), and 0.1 s for each second of speech; the largest models 20
# times as long, and some GiB. The time limit of the pipeline ends what takes longer than a worker may.
SPEECH = Limits(
    memory_bytes=8 * GIB, cpu_seconds=300, wall_seconds=300, cpu_per_second=8.0, wall_per_second=4.0
)

# A picture of 8K takes 920 MiB and 2 s; one of 4K in a recording of 60 pictures a second 2 s. Recorders of browsers
# write one key frame, so that all before a picture is decoded: 0.25 s for each second of 1080p. What takes longer than
# two minutes, in such a recording a picture after about eight, is refused, as other pictures wait for the thread.
FRAME = Limits(
    memory_bytes=2 * GIB,
    cpu_seconds=60,
    wall_seconds=90,
    cpu_per_second=0.5,
    wall_per_second=0.5,
    max_wall_seconds=120,
)

# All of a recording is decoded, and what changes is read as text: 0.4 s for each second. With the libraries that read
# text it takes 700 MiB, and three times as much address space.
SCREEN = Limits(
    memory_bytes=3 * GIB, cpu_seconds=60, wall_seconds=120, cpu_per_second=2.0, wall_per_second=3.0
)

# An uploaded picture of 40 megapixels takes 1.1 GiB and 1.5 s as WebP, half of that as PNG or JPEG; a JPEG of 100 scans
# 2 s. A thread of the web process waits for it.
PICTURE = Limits(memory_bytes=2 * GIB, cpu_seconds=10, wall_seconds=20)

# All of a recording is decoded, and ten pictures a second are looked at: 0.15 s for each second of 1080p with 30
# pictures a second, and eight times as much for 4K with 60. The memory is that of a decoder, as for one picture.
ACTIVITY = Limits(
    memory_bytes=2 * GIB, cpu_seconds=60, wall_seconds=90, cpu_per_second=3.0, wall_per_second=3.0
)

# All of a recording is decoded, and text is read where it has changed: 0.3 s for each second of 720p, and 0.95 s
# for one of 1080p that is full of text and often scrolled, with 500 MiB. Most of the address space is the models'.
SEARCH = Limits(
    memory_bytes=4 * GIB, cpu_seconds=120, wall_seconds=240, cpu_per_second=4.0, wall_per_second=8.0
)

# A picture of 35 megapixels takes 280 MiB and 1.2 s, without counting what is laid over transparent pixels; a lossless
# WebP of 40 megapixels 1.1 GiB. Operations may take 5 s.
ANNOTATION = Limits(memory_bytes=2 * GIB, cpu_seconds=20, wall_seconds=30)

# Two guides of 20 steps with pictures of 1080p take 700 MiB and 2 s; as many pictures as are compared 20 s. A thread of
# the web process waits for it.
COMPARISON = Limits(memory_bytes=2 * GIB, cpu_seconds=60, wall_seconds=60)

# A PDF of 200 pictures of 1080p, or of 50 of 4K, takes 1.4 GiB and 4 s; one of 600 pages 700 MiB and 20 s.
EXPORT = Limits(memory_bytes=3 * GIB, cpu_seconds=120, wall_seconds=300, file_bytes=128 * MIB)
