"""The rows of the app `anchors`: where a picture stands, its pictures, and the work of getting them."""

from __future__ import annotations

from anchors.models.anchors import Anchor, AnchorResolution, UnresolvedAnchor
from anchors.models.assets import AnnotationRequest, Asset, shown_assets
from anchors.models.redactions import Redaction, RedactionRun, RedactionSuggestion, SensitiveSearch
from anchors.models.tasks import ScreenActivity, ScreenshotTask
from anchors.models.uploads import AttachRequest, ImageUpload

__all__ = [
    "Anchor",
    "AnchorResolution",
    "AnnotationRequest",
    "Asset",
    "AttachRequest",
    "ImageUpload",
    "Redaction",
    "RedactionRun",
    "RedactionSuggestion",
    "ScreenActivity",
    "ScreenshotTask",
    "SensitiveSearch",
    "UnresolvedAnchor",
    "shown_assets",
]
