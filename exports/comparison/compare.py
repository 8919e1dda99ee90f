"""Hold two guides of the same flow against one another: which steps are the same, changed, new, gone.

Steps are the same in words when their words are, in order, whatever their case, white space and punctuation, which
count in code alone (`words.Line.keys`); numbers and times in headings do not count. Which steps stand for one another:
`alignment`. Pictures of a step are paired in their order and compared as the screens that they show (`pictures`): what
is drawn on them does not count, as far as nothing is hidden by it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from anchors.render import ImageUnreadable
from exports.comparison.alignment import align
from exports.comparison.changes import (
    MAX_PIXELS,
    MAX_STEPS,
    WHOLE,
    Change,
    PictureDamaged,
    Region,
    TooMuchToCompare,
    screen_of,
)
from exports.comparison.pictures import changed_regions, read_screen
from exports.comparison.steps import GuideStep, likeness_of_steps, read_steps
from exports.renderers.compose import PlacedPicture
from exports.renderers.tree import Guide
from exports.snapshot import AssetMissing, Document, Picture


class PictureChange(NamedTuple):
    """Two pictures that stand at the same place of a step; one is None where there is no partner. `regions` are those
    of `after` that differ."""

    before: PlacedPicture | None
    after: PlacedPicture | None
    regions: tuple[Region, ...]

    @property
    def is_same(self) -> bool:
        return self.before is not None and self.after is not None and not self.regions


@dataclass(frozen=True)
class StepPair:
    """A step of both guides; `old` is None for an added one, `new` for one that was removed."""

    old: GuideStep | None
    new: GuideStep | None
    pictures: tuple[PictureChange, ...] = ()

    @cached_property
    def change(self) -> Change:
        if self.old is None:
            return Change.ADDED
        if self.new is None:
            return Change.REMOVED
        has_other_words = self.old.keys != self.new.keys
        has_other_pictures = not all(pair.is_same for pair in self.pictures)
        if has_other_words:
            return Change.BOTH if has_other_pictures else Change.WORDS
        return Change.PICTURE if has_other_pictures else Change.SAME


@dataclass(frozen=True)
class Comparison:
    """Two guides with their steps, in the order of the newer; removed ones stand where they stood."""

    old: Guide
    new: Guide
    steps: tuple[StepPair, ...]


class PictureFiles:
    """The bytes of pictures by the id of their asset."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files

    def read(self, asset_id: str, sha256: str) -> bytes:
        """Return the bytes; raise AssetMissing for a picture without a file, or whose file has other bytes."""
        try:
            content = self._files[asset_id].read_bytes()
        except (KeyError, FileNotFoundError) as error:
            raise AssetMissing(asset_id) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise AssetMissing(asset_id)
        return content

    def of(self, picture: Picture) -> bytes:
        """Return the bytes of a picture as the guide shows it; raise AssetMissing."""
        return self.read(picture.asset_id, picture.sha256)


def compare_guides(old: Document, new: Document, files: PictureFiles) -> Comparison:
    """Return what changed from one guide to the other. Raise TooMuchToCompare, AssetMissing, and
    PictureDamaged."""
    old_guide, old_steps = read_steps(old)
    new_guide, new_steps = read_steps(new)
    if max(len(old_steps), len(new_steps)) > MAX_STEPS:
        raise TooMuchToCompare(f"A guide has over {MAX_STEPS} steps.")
    places = align(old_steps, new_steps, likeness_of_steps(old_steps, new_steps))
    pairs = [
        (None if old_place is None else old_steps[old_place], None if place is None else new_steps[place])
        for old_place, place in places
    ]
    _require_few_pixels(pairs)
    steps = tuple(StepPair(before, after, _pictures(before, after, files)) for before, after in pairs)
    return Comparison(old_guide, new_guide, steps)


def _paired(
    old: GuideStep | None, new: GuideStep | None
) -> list[tuple[PlacedPicture | None, PlacedPicture | None]]:
    return list(zip_longest(old.pictures if old else (), new.pictures if new else ()))


def _require_few_pixels(steps: Sequence[tuple[GuideStep | None, GuideStep | None]]) -> None:
    pictures = [
        placed.picture
        for step in steps
        for before, after in _paired(*step)
        if before and after and screen_of(before.picture)[1] != screen_of(after.picture)[1]
        for placed in (before, after)
    ]
    if sum(picture.width * picture.height for picture in pictures) > MAX_PIXELS:
        raise TooMuchToCompare(f"The pictures have over {MAX_PIXELS // 1_000_000} megapixels together.")


def _pictures(old: GuideStep | None, new: GuideStep | None, files: PictureFiles) -> tuple[PictureChange, ...]:
    return tuple(
        PictureChange(before, after, _regions(before, after, files)) for before, after in _paired(old, new)
    )


def _regions(
    before: PlacedPicture | None, after: PlacedPicture | None, files: PictureFiles
) -> tuple[Region, ...]:
    """Return where the picture after differs; all of it when it has no partner."""
    if before is None or after is None:
        return (WHOLE,) if after else ()
    screens = screen_of(before.picture), screen_of(after.picture)
    if screens[0][1] == screens[1][1]:
        return ()
    try:
        return tuple(changed_regions(*(read_screen(files.read(*screen)) for screen in screens)))
    except ImageUnreadable as error:
        raise PictureDamaged(str(error)) from error
