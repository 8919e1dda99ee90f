"""The pictures of a recording that are looked at: fifteen a second, as brightness, upright, and not much larger than
2,000 pixels.

Places in pixels are those of such a picture ("the work picture"), if nothing else is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from jobs.media.frame_hash import planes_sha256
from jobs.media.probe import Source, open_media, video_stream
from jobs.media.sampled_frames import Sampling, sampled_frames
from jobs.media.screen.events import Frame, Region

if TYPE_CHECKING:
    import numpy as np
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]
    """A picture's brightness: rows, columns."""

# Fifteen a second, a little more often, as every second picture of 30 is 66 to 67 ms after the last.
_SAMPLING = Sampling(step_ms=60, dense_s=Fraction(1, 40))
_MAX_WORK_SIDE = 2_200


class Box(NamedTuple):
    """A part of the work picture, in pixels; right and bottom are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def area(self) -> int:
        return max(0, self.width) * max(0, self.height)

    def joined(self, other: Box) -> Box:
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def common(self, other: Box) -> Box:
        """Return what is in both; it has no area when nothing is."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        return Box(
            left, top, max(left, min(self.right, other.right)), max(top, min(self.bottom, other.bottom))
        )

    def grown(self, across: int, down: int | None = None) -> Box:
        down = across if down is None else down
        return Box(self.left - across, self.top - down, self.right + across, self.bottom + down)

    def moved(self, across: int, down: int) -> Box:
        return Box(self.left + across, self.top + down, self.right + across, self.bottom + down)

    def holds(self, x: float, y: float) -> bool:
        return self.left <= x < self.right and self.top <= y < self.bottom

    def distance(self, x: float, y: float) -> float:
        """Return how far a point is outside, in pixels along the axis in which it is further."""
        return max(self.left - x, x - self.right + 1, self.top - y, y - self.bottom + 1, 0)


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture of the recording. `at_ms` is its time on the clock of `anchors.frames`."""

    at_ms: int
    picture: VideoFrame

    @cached_property
    def full(self) -> Grey:
        """The brightness of all its pixels, upright; not to be written to."""
        import numpy as np

        frame, name = self.picture, self.picture.format.name
        is_bytes = name.startswith(("yuv4", "yuvj4", "nv12", "nv21", "gray")) and len(
            frame.format.components
        ) in (1, 3)
        if not is_bytes or frame.format.components[0].bits != 8:
            frame = frame.reformat(format="gray")
        plane = frame.planes[0]
        pixels = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        pixels = pixels[: frame.height, : frame.width]
        turns = round(self.picture.rotation / 90) % 4
        return np.rot90(pixels, turns) if turns else pixels

    @cached_property
    def scale(self) -> int:
        """How many pixels of the recording one of the work picture is wide and high."""
        return max(1, ceil(max(self.picture.width, self.picture.height) / _MAX_WORK_SIDE))

    @cached_property
    def grey(self) -> Grey:
        """The work picture."""
        import cv2
        import numpy as np

        full, scale = self.full, self.scale
        if scale == 1:
            return np.ascontiguousarray(full)
        size = max(1, full.shape[1] // scale), max(1, full.shape[0] // scale)
        return np.asarray(cv2.resize(full, size, interpolation=cv2.INTER_AREA), np.uint8)

    @property
    def bounds(self) -> Box:
        height, width = self.grey.shape
        return Box(0, 0, width, height)

    def cut(self, box: Box) -> NDArray[np.uint8]:
        """Return a part in full resolution, as RGB without colours; it is empty outside the picture."""
        import numpy as np

        inside = box.common(self.bounds)
        left, top, right, bottom = (side * self.scale for side in inside)
        return np.repeat(self.full[top:bottom, left:right, np.newaxis], 3, axis=2)

    def patched(self, other: Sample, box: Box, factor: float, more: NDArray[np.float32]) -> Sample:
        """Return the same picture with a part of another one of its size in it, of which the brightness is multiplied
        by `factor`, and of which each row (of the work picture) is made brighter by a number of levels."""
        import numpy as np

        left, top, right, bottom = (side * self.scale for side in box)
        part = other.full[top:bottom, left:right].astype(np.float32)
        full = self.full.copy()
        lit = factor * part + np.repeat(more, self.scale)[:, np.newaxis]
        full[top:bottom, left:right] = np.clip(lit, 0, 255).round().astype(np.uint8)
        sample = Sample(self.at_ms, self.picture)
        sample.__dict__["full"] = full  # where cached_property keeps it
        return sample

    def region(self, box: Box) -> Region:
        """Return a part as shares of the picture."""
        inside, bounds = box.common(self.bounds), self.bounds
        return Region(
            x=round(inside.left / bounds.right, 4),
            y=round(inside.top / bounds.bottom, 4),
            width=round(inside.width / bounds.right, 4),
            height=round(inside.height / bounds.bottom, 4),
        )

    @cached_property
    def frame(self) -> Frame | None:
        """The evidence. None for a picture without a time of its own."""
        pts = self.picture.pts
        return None if pts is None else Frame(pts, planes_sha256(self.picture))


def read_samples(source: Source, *, on_progress: Callable[[float], None] | None = None) -> Iterator[Sample]:
    """Yield the pictures of a recording that are looked at, in order. Damaged packets are skipped.

    `on_progress` is called with the share done (0..1), at most 200 times, and may raise to stop the work.
    Raise `probe.UnreadableVideo`, OSError, and what `on_progress` raises.
    """
    with open_media(source) as container:
        frames = sampled_frames(container, video_stream(container), _SAMPLING, on_progress=on_progress)
        for at_ms, frame in frames:
            yield Sample(at_ms, frame)
