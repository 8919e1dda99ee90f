"""Which parts of a screen keep changing on their own: carets, clocks, spinners, pictures that move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.media.screen.changes import Part, Step

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BLOCK = 16  # pixels
_SLOT_MS = 500
_SLOTS = 8  # so 4 s are remembered
_OFTEN = 5  # of the slots in which a block changes, from which it is restless
_SHARE = 0.6  # of a part that is restless, from which the part is


class Restless:
    """Remembers where the last seconds' changes were. What the pointer does is left out before."""

    def __init__(self) -> None:
        self._slots: NDArray[np.bool_] | None = None
        self._slot = 0

    def add(self, step: Step) -> None:
        """Take in a step, in order."""
        import numpy as np

        height, width = step.changed.shape
        shape = _SLOTS, -(-height // _BLOCK), -(-width // _BLOCK)
        if self._slots is None or self._slots.shape != shape:
            self._slots = np.zeros(shape, bool)
        slot = step.after.at_ms // _SLOT_MS
        for number in range(max(self._slot + 1, slot - _SLOTS + 1), slot + 1):
            self._slots[number % _SLOTS] = False
        self._slot = slot
        for part in step.parts:
            self._slots[slot % _SLOTS][_blocks(part)] = True

    def is_restless(self, part: Part) -> bool:
        """Return whether a part of the last step has been changing all the time."""
        if self._slots is None:
            return False
        blocks = self._slots[(slice(None), *_blocks(part))]
        return bool((blocks.sum(axis=0) >= _OFTEN).mean() >= _SHARE)

    def share(self) -> float:
        """Return how much of the picture has been changing all the time, 0..1."""
        return 0.0 if self._slots is None else float((self._slots.sum(axis=0) >= _OFTEN).mean())


def _blocks(part: Part) -> tuple[slice, slice]:
    box = part.box
    return (
        slice(box.top // _BLOCK, -(-box.bottom // _BLOCK)),
        slice(box.left // _BLOCK, -(-box.right // _BLOCK)),
    )
