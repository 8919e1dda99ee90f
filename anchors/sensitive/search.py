"""What should be hidden in a recording, and when it is on the screen.

The video is read once, five pictures a second. Text is read where the picture has changed since it was last read, once
that has come to rest; where nothing comes to rest, now and then. A span begins with the last picture before the change
that brought it up, and ends with the first in which what took its place is at rest: rather too long than too short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from anchors.activity import SAMPLING
from anchors.frames.pictures import as_shown
from anchors.sensitive.patterns import Kind
from anchors.sensitive.reading import CELL, Reader, Sighting, around_both, cells_under, overlap
from jobs.media.probe import DAMAGED, Source, UnreadableVideo, open_media, video_stream
from jobs.media.sampled_frames import sampled_frames

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]
    Cells = NDArray[np.bool_]

MAX_FOUND = 1_000
"""Of more, those that are close in time are put together."""

T = TypeVar("T")

_STEP_MS = 190
_REST_MS = 350  # without a change, after which what is shown is read
_PATIENCE_MS = 2_000  # after which is read what does not come to rest; each time twice as long
_MAX_PATIENCE_MS = 32_000
_DIFFERENT = 26  # of 255, more than an encoder's noise
_SAME_PLACE = 0.5
_GAP_MS = 3_000  # in which something that was gone and is there again was not gone
_RECENT = 300  # findings that are looked through for one that has moved


@dataclass(frozen=True)
class Region:
    """In shares (0..1) of the picture's width and height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Found:
    """Something that should be hidden from `start_ms` to `end_ms`, both included. What it says is not kept."""

    kind: Kind
    start_ms: int
    end_ms: int
    region: Region
    confidence: float


def find_sensitive(source: Source, *, on_progress: Callable[[float], None] | None = None) -> list[Found]:
    """Return what should be hidden in a video, by the time at which it comes up; `MAX_FOUND` at most.

    Damaged packets are skipped. `on_progress` is called with the share done (0..1), at most 200 times, and may raise to
    stop the work. Raise `probe.UnreadableVideo`, OSError, and what `on_progress` raises.
    """
    with open_media(source) as container:
        stream = video_stream(container)
        search, taken_ms = Search(), -_STEP_MS
        for at_ms, frame in sampled_frames(container, stream, SAMPLING, on_progress=on_progress):
            if at_ms - taken_ms >= _STEP_MS:
                taken_ms = at_ms
                search.add(at_ms, as_shown(frame, sample_aspect=stream.sample_aspect_ratio))
    return search.finish()


@dataclass
class _Track:
    """A sighting while it stays."""

    sighting: Sighting
    start_ms: int
    end_ms: int | None = None
    left_ms: int = 0  # when it was seen last
    size: tuple[int, int] = (1, 1)
    is_way: bool = False  # between two places, not at one

    def found(self, last_ms: int) -> Found:
        width, height = self.size
        left, top, right, bottom = self.sighting.box
        right, bottom = min(right, width), min(bottom, height)
        region = Region(left / width, top / height, (right - left) / width, (bottom - top) / height)
        end_ms = last_ms if self.end_ms is None else self.end_ms
        return Found(self.sighting.kind, self.start_ms, end_ms, region, self.sighting.confidence)


class Search:
    """Takes in pictures in order of time."""

    def __init__(self) -> None:
        self._reader = Reader()
        self._screen: _Screen | None = None
        self._shown: list[_Track] = []
        self._gone: list[_Track] = []
        self._last_ms = 0

    def add(self, at_ms: int, image: object) -> None:
        """Take in the next picture, RGB. One of another size is all new."""
        import numpy as np

        picture = np.asarray(image)
        if self._screen is None or self._screen.shape != picture.shape:
            self._end_all(at_ms)
            self._screen = _Screen(picture, self._last_ms)
            self._take(at_ms, picture, self._screen.all_cells())
        elif (where := self._screen.to_read(at_ms, picture)) is not None:
            self._take(at_ms, picture, where)
        self._last_ms = at_ms

    def finish(self) -> list[Found]:
        """Return what was found. Raise UnreadableVideo (UNDECODABLE) when there was no picture."""
        if self._screen is None:
            raise UnreadableVideo("UNDECODABLE", DAMAGED)
        where = self._screen.unread()
        if where.any():
            self._take(self._last_ms, self._screen.picture, where)
        self._end_all(self._last_ms + _STEP_MS)
        found = [track.found(self._last_ms) for track in _merged(self._gone)]
        return fitting(
            sorted(found, key=lambda each: (each.start_ms, each.region.y, each.region.x)), MAX_FOUND
        )

    def _take(self, at_ms: int, picture: Picture, where: Cells) -> None:
        """Read some cells, and hold what stands there against what stood there before."""
        assert self._screen is not None  # nosec B101
        since = self._screen.since
        fresh = self._reader.read(picture, where)
        for track in [track for track in self._shown if where[cells_under(track.sighting.box)].any()]:
            same = next((each for each in fresh if _is_still(track.sighting, each)), None)
            if same:
                fresh.remove(same)
                track.sighting = _both(track.sighting, same)
            else:
                track.end_ms, track.left_ms = at_ms, int(since[cells_under(track.sighting.box)].min())
                self._gone.append(track)
        self._shown = [track for track in self._shown if track.end_ms is None]
        size = picture.shape[1], picture.shape[0]
        for sighting in fresh:
            start_ms = int(since[cells_under(sighting.box)].min())
            self._shown.append(_Track(sighting, start_ms, size=size))
            self._gone += list(_on_the_way(sighting, self._recently_gone(start_ms), at_ms, size))
        self._screen.was_read(at_ms, picture, where)

    def _recently_gone(self, at_ms: int) -> list[_Track]:
        return [track for track in self._gone[-_RECENT:] if (track.end_ms or 0) >= at_ms - _GAP_MS]

    def _end_all(self, at_ms: int) -> None:
        for track in self._shown:
            track.end_ms = at_ms
        self._gone += self._shown
        self._shown = []


class _Screen:
    """Which cells of the picture have changed since they were read, and since when."""

    def __init__(self, picture: Picture, before_ms: int) -> None:
        import numpy as np

        self.shape, self.picture = picture.shape, picture
        down, across = -(-picture.shape[0] // CELL), -(-picture.shape[1] // CELL)
        self._last = self._read = _grey(picture)
        self.since = np.full((down, across), before_ms, np.int64)  # when the cell was last as it was read
        self._moved = np.full((down, across), before_ms, np.int64)
        self._dirty = np.zeros((down, across), np.bool_)
        self._patience = np.full((down, across), _PATIENCE_MS, np.int64)
        self._before_ms = before_ms

    def all_cells(self) -> Cells:
        import numpy as np

        return np.ones(self._dirty.shape, np.bool_)

    def unread(self) -> Cells:
        return self._dirty

    def to_read(self, at_ms: int, picture: Picture) -> Cells | None:
        """Return the cells that are to be read now, None for none."""
        import numpy as np

        grey = _grey(picture)
        moves = _differing(grey, self._last)
        is_other = _differing(grey, self._read)
        self._moved[moves] = at_ms
        fresh = (moves | is_other) & ~self._dirty
        self.since[~self._dirty & ~fresh] = at_ms
        self._dirty |= fresh
        at_rest = self._dirty & (at_ms - self._moved >= _REST_MS)
        # A pointer that has passed, or a menu that is closed: what was read is there again.
        back = at_rest & ~is_other
        self._dirty &= ~back
        late = self._dirty & ~at_rest & (at_ms - self.since >= self._patience)
        self._patience[late] = np.minimum(self._patience[late] * 2, _MAX_PATIENCE_MS)
        self._patience[at_rest] = _PATIENCE_MS
        self._last, self.picture = grey, picture
        where = (at_rest & ~back) | late
        return where if where.any() else None

    def was_read(self, at_ms: int, picture: Picture, where: Cells) -> None:
        import cv2
        import numpy as np

        height, width = picture.shape[:2]
        each = cv2.resize(where.astype(np.uint8), None, fx=CELL, fy=CELL, interpolation=cv2.INTER_NEAREST)
        self._read = np.where(each[:height, :width] > 0, _grey(picture), self._read)
        self.since[where] = at_ms
        self._dirty &= ~where


def _grey(picture: Picture) -> NDArray[np.uint8]:
    import cv2
    import numpy as np

    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def _differing(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Cells:
    """Return in which cells two pictures differ."""
    import cv2
    import numpy as np

    height, width = one.shape
    differs = np.asarray(cv2.absdiff(one, other)) > _DIFFERENT
    if not differs.any():
        return np.zeros((-(-height // CELL), -(-width // CELL)), np.bool_)
    padded = np.pad(differs, ((0, -height % CELL), (0, -width % CELL)))
    return np.asarray(padded.reshape(padded.shape[0] // CELL, CELL, -1, CELL).any(axis=(1, 3)))


def _is_still(before: Sighting, now: Sighting) -> bool:
    """Return whether two are the same in the same place; a letter may be read otherwise each time."""
    shared = overlap(before.box, now.box)
    return before.kind == now.kind and shared >= (0.3 if before.text == now.text else 0.7)


def _both(before: Sighting, now: Sighting) -> Sighting:
    return Sighting(
        now.kind, now.text, around_both(before.box, now.box), max(before.confidence, now.confidence)
    )


def _on_the_way(
    sighting: Sighting, gone: list[_Track], at_ms: int, size: tuple[int, int]
) -> Iterator[_Track]:
    """Yield what hides something on its way from one place to another, as when a page is scrolled."""
    for track in gone:
        before = track.sighting
        is_same = (before.kind, before.text) == (sighting.kind, sighting.text)
        if is_same and track.size == size and abs(before.box[0] - sighting.box[0]) <= CELL:
            box = around_both(before.box, sighting.box)
            yield _Track(
                Sighting(before.kind, before.text, box, sighting.confidence),
                track.left_ms,
                at_ms,
                size=size,
                is_way=True,
            )


def _merged(tracks: list[_Track]) -> list[_Track]:
    """Return spans of the same text in the same place as one, when little time lies between."""
    kept: list[_Track] = []
    for track in sorted(tracks, key=lambda track: track.start_ms):
        for other in reversed(kept):
            is_near = track.start_ms - (other.end_ms or 0) <= _GAP_MS and track.size == other.size
            is_same = (other.sighting.kind, other.sighting.text) == (track.sighting.kind, track.sighting.text)
            is_at_place = not (track.is_way or other.is_way) and is_same
            if is_near and is_at_place and overlap(other.sighting.box, track.sighting.box) >= _SAME_PLACE:
                other.sighting = _both(other.sighting, track.sighting)
                other.end_ms = max(other.end_ms or 0, track.end_ms or 0)
                break
        else:
            kept.append(track)
    return kept


def fitting(found: list[Found], most: int) -> list[Found]:
    """Return findings, in order of time, as so many at most: those that follow one another are put together, so that
    all is hidden that was, and more."""
    return [together(group) for group in in_groups(found, most)]


def in_groups(found: list[T], most: int) -> list[list[T]]:
    """Return what was found, in order of time, in as many groups at most, each of some that follow one another."""
    size = max(1, -(-len(found) // most))
    return [found[at : at + size] for at in range(0, len(found), size)]


def together(found: list[Found]) -> Found:
    """Return one that hides all that several hide."""
    if len(found) == 1:
        return found[0]
    first = found[0]
    left, top = min(each.region.x for each in found), min(each.region.y for each in found)
    right = max(each.region.x + each.region.width for each in found)
    bottom = max(each.region.y + each.region.height for each in found)
    return Found(
        first.kind,
        min(each.start_ms for each in found),
        max(each.end_ms for each in found),
        Region(left, top, right - left, bottom - top),
        max(each.confidence for each in found),
    )
