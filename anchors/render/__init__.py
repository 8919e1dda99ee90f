"""Annotation of pictures: the operations that may be drawn, the hash of a result, and the drawing itself."""

from __future__ import annotations

from anchors.render.budget import check_work
from anchors.render.checks import OperationsInvalid
from anchors.render.engine import MAX_PIXELS, ImageUnreadable, decode, render_annotations
from anchors.render.identity import RENDERER_VERSION, ops_hash
from anchors.render.operations import normalise_operations

__all__ = [
    "MAX_PIXELS",
    "RENDERER_VERSION",
    "ImageUnreadable",
    "OperationsInvalid",
    "check_work",
    "decode",
    "normalise_operations",
    "ops_hash",
    "render_annotations",
]
