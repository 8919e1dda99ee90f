"""Which parts of a screen keep changing on their own: carets, clocks, spinners, pictures that move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.media.screen.changes import Part, Step, is_caret

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BLOCK = 16  # pixels
_SLOT_MS = 500
_SLOTS = 12  # so 6 s are remembered
_LATE = 8  # of the slots are looked at for what turns
_OFTEN = 6  # of these in which a block or one beside it changes, from which it is restless
_SHARE = 0.6  # of a part that is restless, from which the part is


class Restless:
    """Remembers where the last seconds' changes were. What the pointer does is left out before."""

    def __init__(self) -> None:
        self._slots: NDArray[np.bool_] | None = None
        self._slot = 0
        self._found: NDArray[np.bool_] | None = None

    def add(self, step: Step) -> None:
        """Take in a step, in order."""
        import numpy as np

        self._found = None
        height, width = step.changed.shape
        shape = _SLOTS, -(-height // _BLOCK), -(-width // _BLOCK)
        if self._slots is None or self._slots.shape != shape:
            self._slots = np.zeros(shape, bool)
        slot = step.after.at_ms // _SLOT_MS
        for number in range(max(self._slot + 1, slot - _SLOTS + 1), slot + 1):
            self._slots[number % _SLOTS] = False
        self._slot = slot
        for part in step.parts:
            if is_caret(part.box):  # the next letter comes there
                continue
            self._slots[slot % _SLOTS][_blocks(part)] = True

    def is_restless(self, part: Part) -> bool:
        """Return whether a part has been changing all the time, or each second."""
        if self._slots is None or is_caret(part.box):
            return False
        return bool(self._often()[_blocks(part)].mean() >= _SHARE)

    def share(self) -> float:
        """Return how much of the picture has been changing all the time, 0..1."""
        return 0.0 if self._slots is None else float(self._often().mean())

    def _often(self) -> NDArray[np.bool_]:
        """Return which blocks are restless, as rows and columns; it is found once for each state."""
        import cv2
        import numpy as np

        assert self._slots is not None  # nosec B101
        if self._found is None:
            near = np.array(
                [cv2.dilate(slot.astype(np.uint8), np.ones((3, 3), np.uint8)) for slot in self._slots]
            )
            # A clock changes once in two slots, at the same place.
            order = [(self._slot - back) % _SLOTS for back in range(_SLOTS)]
            seconds = self._slots[order[0::2]] | self._slots[order[1::2]]
            self._found = (near[order[:_LATE]].sum(axis=0) >= _OFTEN) | seconds.all(axis=0)
        return self._found


def _blocks(part: Part) -> tuple[slice, slice]:
    box = part.box
    return (
        slice(box.top // _BLOCK, -(-box.bottom // _BLOCK)),
        slice(box.left // _BLOCK, -(-box.right // _BLOCK)),
    )
