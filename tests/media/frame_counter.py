"""The frame number that every picture of the sample recording carries, as a strip of light and dark cells.

The strip stands in the status bar at the bottom right. From left to right: one light guard cell, twelve
bits of the frame number with the highest first, four check bits, one dark guard cell. The check bits are
the complement of the exclusive-or of the number's three groups of four bits, so that any single wrong
cell, an all-dark strip and an all-light strip are refused.

Nothing here draws: the scene asks for `cells_for`, and tests and the demo read back with `read_counter`.
"""

from __future__ import annotations

from PIL import Image

BASE_SIZE = (1280, 720)
"""Width and height in pixels of the picture that the measures below belong to."""

STRIP = (1048, 700)
"""Left and top edge of the first cell, in pixels of `BASE_SIZE`."""

CELL = (12, 16)
"""Width and height of one cell, in pixels of `BASE_SIZE`."""

DATA_BITS = 12
CHECK_BITS = 4
MAX_FRAME = (1 << DATA_BITS) - 1

MIN_CONTRAST = 60
"""Least difference between the two guard cells, of 255, for the strip to count as one."""

UNCLEAR = 0.3
"""A cell whose brightness lies this near the middle between the guards, as a share of their half distance."""


def check_bits(frame: int) -> int:
    """The four check bits of a frame number."""
    return 0b1111 ^ (frame >> 8 & 0b1111) ^ (frame >> 4 & 0b1111) ^ (frame & 0b1111)


def cells_for(frame: int) -> tuple[bool, ...]:
    """The 18 cells of a frame number, left to right; True is light. ValueError outside 0..`MAX_FRAME`."""
    if not 0 <= frame <= MAX_FRAME:
        raise ValueError(f"Frame {frame} does not fit into {DATA_BITS} bits.")
    word = frame << CHECK_BITS | check_bits(frame)
    bits = DATA_BITS + CHECK_BITS
    return (True, *(bool(word >> (bits - 1 - i) & 1) for i in range(bits)), False)


def read_counter(image: Image.Image) -> int:
    """The frame number in a whole picture of the sample recording, of any size and mode.

    The picture may be scaled, also with another aspect, and compressed; it must not be cropped. Raises
    ValueError when there is no strip, a cell is neither light nor dark, or the check bits do not match.
    """
    levels = _cell_levels(image)
    light, dark = levels[0], levels[-1]
    if light - dark < MIN_CONTRAST:
        raise ValueError("There is no frame counter in this picture: the guard cells do not stand out.")
    middle, half = (light + dark) / 2, (light - dark) / 2
    word = 0
    for position, level in enumerate(levels[1:-1]):
        if abs(level - middle) < UNCLEAR * half:
            raise ValueError(f"Cell {position} of the frame counter is neither light nor dark.")
        word = word << 1 | (level > middle)
    frame = word >> CHECK_BITS
    if word & 0b1111 != check_bits(frame):
        raise ValueError("The check bits of the frame counter do not match its number.")
    return frame


def _cell_levels(image: Image.Image) -> list[float]:
    """Mean brightness, 0..255, of the middle half of each cell."""
    across, down = image.width / BASE_SIZE[0], image.height / BASE_SIZE[1]
    top = (STRIP[1] + CELL[1] / 4) * down
    bottom = (STRIP[1] + CELL[1] * 3 / 4) * down
    levels = []
    for index in range(DATA_BITS + CHECK_BITS + 2):
        left = (STRIP[0] + CELL[0] * (index + 0.25)) * across
        right = (STRIP[0] + CELL[0] * (index + 0.75)) * across
        box = (
            round(left),
            round(top),
            max(round(right), round(left) + 1),
            max(round(bottom), round(top) + 1),
        )
        counts = image.crop(box).convert("L").histogram()
        levels.append(sum(level * count for level, count in enumerate(counts)) / sum(counts))
    return levels
