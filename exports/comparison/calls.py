"""What is called in a child process: two guides are compared there, as their pictures are files of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exports.comparison.compare import PictureFiles, StepPair, compare_guides
from exports.comparison.page import render_page
from exports.comparison.regions import Region
from exports.snapshot import Document


@dataclass(frozen=True)
class StepChange:
    """What became of a step. The ids are None where the older or the newer guide has no such step; `change` is a value
    of `compare.Change`; the regions are of the newer guide's pictures, in their order."""

    block_id: str | None
    other_block_id: str | None
    change: str
    picture_regions: list[Region]


def compare_steps(old: Document, new: Document, files: Mapping[str, Path]) -> list[StepChange]:
    """Return what changed, step by step; `files` has those of the pictures by the id of their asset.

    Raise TooMuchToCompare, AssetMissing, and RenderFailed for a picture that cannot be read.
    """
    return [_plain(pair) for pair in compare_guides(old, new, PictureFiles(files)).steps]


def compare_on_page(old: Document, new: Document, files: Mapping[str, Path]) -> bytes:
    """Return what changed as an HTML file; raise what `compare_steps` raises."""
    read = PictureFiles(files)
    return render_page(compare_guides(old, new, read), old, new, read.of)


def _plain(pair: StepPair) -> StepChange:
    is_both = pair.old is not None and pair.new is not None
    return StepChange(
        block_id=pair.old.block_id if pair.old else None,
        other_block_id=pair.new.block_id if pair.new else None,
        change=pair.change.value,
        picture_regions=[region for each in pair.pictures for region in each.regions] if is_both else [],
    )
