"""When the screen of a recording changes, and how much: what `anchors.suggest` chooses pictures by.

The video is read once, at most ten pictures a second, each as a small grey picture of cells. A cell has
changed when pixels in it differ from what they showed when they were last said to change: so slow fades count, and
noise of the encoder does not. Cells that change again and again on their own (a caret, a clock, a spinner) are told
from those that change once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, Self

from anchors.popups import Popups, cells_of, differing
from anchors.restless import WINDOW_MS, Restless, Step
from jobs.media.probe import DAMAGED, Source, UnreadableVideo, open_media, video_stream
from jobs.media.sampled_frames import Sampling, sampled_frames

if TYPE_CHECKING:
    import numpy as np
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

Kind = Literal["small", "local", "large"]

LOCAL_SHARE = 0.02
"""The share of the screen from which a change is more than a pointer, a letter or a switch: a menu, a row."""

LARGE_SHARE = 0.10
"""The share from which it is a window, a page or a scroll."""

MAX_CHANGES = 5_000
"""Of a busier recording, changes that are close together are joined. An hour of work with an application has about
2,000; one is about 25 bytes of JSON."""

SAMPLING = Sampling(step_ms=90, dense_s=Fraction(1, 20))
"""Ten a second, a little more often, as every third picture of 30 is 99 to 100 ms after the last."""

_WIDTH = 640  # the longer side; a letter of a 1080p recording is 3 pixels wide then
_CELL = 16
_JOIN_MS = 250
_ABSORB_MS = 300  # the faint beginning of a fade


@dataclass(frozen=True)
class Change:
    """A stretch in which the screen changes. At `start_ms` the last picture before it is shown, at `end_ms` the first
    one after it. `share` (0..1) is how much of the screen changed from one picture to the next, at most."""

    start_ms: int
    end_ms: int
    share: float

    @property
    def kind(self) -> Kind:
        return kind_of(self.share)


@dataclass(frozen=True)
class Activity:
    """The changes of a recording in order; between them nothing moves but carets, clocks and the like.

    `loading` are the stretches (start_ms, end_ms) in which something small kept moving for some seconds, as a spinner
    does. `popups` are pairs of changes (opened_ms, closed_ms): after the second the screen looks as before the first,
    as when a menu closes. `last_ms` is the time of the last picture. Times are on the clock of `anchors.frames`.
    """

    last_ms: int
    changes: list[Change] = field(default_factory=list)
    loading: list[tuple[int, int]] = field(default_factory=list)
    popups: list[tuple[int, int]] = field(default_factory=list)

    def as_plain(self) -> dict[str, Any]:
        """Return the same as values for JSON."""
        changes = [[change.start_ms, change.end_ms, change.share] for change in self.changes]
        spans = {"loading": self.loading, "popups": self.popups}
        plain = {name: [list(span) for span in found] for name, found in spans.items()}
        return {"last_ms": self.last_ms, "changes": changes, **plain}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return what `as_plain` was called on."""
        changes = [Change(*change) for change in plain["changes"]]
        loading, popups = ([(start, end) for start, end in plain[name]] for name in ("loading", "popups"))
        return cls(plain["last_ms"], changes, loading, popups)


def kind_of(share: float) -> Kind:
    return "large" if share >= LARGE_SHARE else "local" if share >= LOCAL_SHARE else "small"


def watch(source: Source, *, on_progress: Callable[[float], None] | None = None) -> Activity:
    """Return when the screen changes in a video, which is read once, from end to end.

    Memory does not grow with the length. Damaged packets are skipped. `on_progress` is called with the share done
    (0..1), at most 200 times, and may raise to stop the work. Raise
    `probe.UnreadableVideo`, OSError, and what `on_progress` raises.
    """
    watcher = _Watcher()
    with open_media(source) as container:
        frames = sampled_frames(container, video_stream(container), SAMPLING, on_progress=on_progress)
        for at_ms, frame in frames:
            watcher.add(at_ms, _cells(frame))
    return watcher.finish()


def _cells(frame: VideoFrame) -> NDArray[np.uint8]:
    """Return the brightness of a frame, small: rows of cells, pixels down, columns of cells, pixels across."""
    import numpy as np

    scale = _WIDTH / max(frame.width, frame.height)
    across, down = (max(1, round(side * scale / _CELL)) for side in (frame.width, frame.height))
    grey = frame.reformat(across * _CELL, down * _CELL, format="gray", interpolation="AREA")
    plane = grey.planes[0]
    pixels = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[
        : down * _CELL, : across * _CELL
    ]
    return pixels.reshape(down, _CELL, across, _CELL)


class _Watcher:
    """Holds each picture against what was shown before. What changed is looked at `WINDOW_MS` later, when it is known
    whether it keeps changing."""

    def __init__(self) -> None:
        self._shown: NDArray[np.uint8] | None = None
        self._last_ms = 0
        self._waiting: deque[Step] = deque()
        self._restless = Restless()
        self._popups = Popups()
        self._changes: list[Change] = []
        self._join_ms = _JOIN_MS

    def add(self, at_ms: int, cells: NDArray[np.uint8]) -> None:
        """Take in the next picture. One of another size, as after a switch of resolution, is all new."""
        if self._shown is None:
            self._shown = cells.copy()
        elif self._shown.shape != cells.shape:
            self._flush(at_ms + 2 * WINDOW_MS)
            self._restless.reset()
            self._popups.reset()
            self._note(Change(self._last_ms, at_ms, 1.0))
            self._shown = cells.copy()
        else:
            # With no other picture between, the last one stands until this one.
            is_alone = at_ms - self._last_ms >= 2 * SAMPLING.step_ms
            start_ms = at_ms - SAMPLING.step_ms if is_alone else self._last_ms
            step = Step(start_ms, at_ms, self._update(start_ms, cells))
            self._waiting.append(step)
            self._restless.add(step)
            self._flush(at_ms)
        self._last_ms = at_ms

    def _update(self, start_ms: int, cells: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
        """Return which cells changed, None for none, after the pixels that did are taken over."""
        import numpy as np

        assert self._shown is not None  # nosec B101
        is_other = differing(cells, self._shown)
        changed = cells_of(is_other) if is_other.any() else None
        share = 0.0 if changed is None else float(changed.mean())
        if share >= LOCAL_SHARE:
            self._popups.moves(start_ms, self._shown)
        np.copyto(self._shown, cells, where=is_other)
        if share < LOCAL_SHARE:
            self._popups.rests(self._shown)
        return changed

    def finish(self) -> Activity:
        """Return what was seen. Raise UnreadableVideo (UNDECODABLE) when there was no picture."""
        if self._shown is None:
            raise UnreadableVideo("UNDECODABLE", DAMAGED)
        self._flush(self._last_ms + 2 * WINDOW_MS)
        return Activity(self._last_ms, self._changes, self._restless.finish(), self._popups.found)

    def _flush(self, at_ms: int) -> None:
        while self._waiting and self._waiting[0].end_ms <= at_ms - WINDOW_MS:
            step = self._waiting.popleft()
            still = self._restless.settled(step)
            if still is not None and still.any():
                self._note(Change(step.start_ms, step.end_ms, round(float(still.mean()), 4)))

    def _note(self, change: Change) -> None:
        last = self._changes[-1] if self._changes else None
        if last and (_is_one(last, change, self._join_ms) or _is_beginning(last, change)):
            self._changes[-1] = _joined(last, change)
            return
        self._changes.append(change)
        while len(self._changes) > MAX_CHANGES:
            self._join_ms *= 2
            kept: list[Change] = []
            for each in self._changes:
                if kept and each.start_ms - kept[-1].end_ms <= self._join_ms:
                    kept[-1] = _joined(kept[-1], each)
                else:
                    kept.append(each)
            self._changes = kept


def _is_one(last: Change, change: Change, join_ms: int) -> bool:
    return last.kind == change.kind and change.start_ms - last.end_ms <= join_ms


def _is_beginning(last: Change, change: Change) -> bool:
    """Return whether a change is the first, faint picture of a larger one that follows at once."""
    follows = change.start_ms <= last.end_ms and last.end_ms - last.start_ms <= _ABSORB_MS
    return follows and (last.kind, change.kind) == ("local", "large")


def _joined(first: Change, second: Change) -> Change:
    return Change(first.start_ms, second.end_ms, max(first.share, second.share))
