"""What is called in a child process: two guides are compared there, as their pictures are files of others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from exports.comparison.changes import PictureDamaged, StepChange
from exports.comparison.compare import PictureFiles, StepPair, compare_guides
from exports.comparison.page import render_page
from exports.renderers.rendered import RenderFailed
from exports.snapshot import Document


def compare_steps(old: Document, new: Document, files: Mapping[str, Path]) -> list[StepChange]:
    """Return what changed, step by step; `files` has those of the pictures by the id of their asset.

    Raise TooMuchToCompare, AssetMissing and PictureDamaged.
    """
    return [_plain(pair) for pair in compare_guides(old, new, PictureFiles(files)).steps]


def compare_on_page(old: Document, new: Document, files: Mapping[str, Path]) -> bytes:
    """Return what changed as an HTML file; raise what `compare_steps` raises."""
    read = PictureFiles(files)
    try:
        return render_page(compare_guides(old, new, read), old, new, read.of)
    except RenderFailed as error:
        raise PictureDamaged(str(error)) from error


def _plain(pair: StepPair) -> StepChange:
    is_both = pair.old is not None and pair.new is not None
    return StepChange(
        block_id=pair.old.block_id if pair.old else None,
        other_block_id=pair.new.block_id if pair.new else None,
        change=pair.change.value,
        picture_regions=[region for each in pair.pictures for region in each.regions] if is_both else [],
    )
