"""Annotation of pictures: the operations that may be drawn, the hash of a result, and the drawing itself."""

from __future__ import annotations

from anchors.render.checks import OperationsInvalid
from anchors.render.engine import ImageUnreadable, render_annotations
from anchors.render.identity import RENDERER_VERSION, ops_hash
from anchors.render.operations import normalise_operations

__all__ = [
    "RENDERER_VERSION",
    "ImageUnreadable",
    "OperationsInvalid",
    "normalise_operations",
    "ops_hash",
    "render_annotations",
]
