"""Anchors, screenshot tasks and pictures."""

from __future__ import annotations

from anchors.api.viewsets.anchors import AnchorViewSet
from anchors.api.viewsets.assets import AnchorAssetViewSet, AssetViewSet
from anchors.api.viewsets.redactions import RedactionViewSet
from anchors.api.viewsets.searching import RedactionSuggestionViewSet
from anchors.api.viewsets.suggestions import SuggestionViewSet
from anchors.api.viewsets.tasks import ScreenshotTaskViewSet
from anchors.api.viewsets.uploads import (
    AnchorUploadViewSet,
    ScreenshotConfirmationViewSet,
    ScreenshotUploadViewSet,
)

__all__ = [
    "AnchorAssetViewSet",
    "AnchorUploadViewSet",
    "AnchorViewSet",
    "AssetViewSet",
    "RedactionSuggestionViewSet",
    "RedactionViewSet",
    "ScreenshotConfirmationViewSet",
    "ScreenshotTaskViewSet",
    "ScreenshotUploadViewSet",
    "SuggestionViewSet",
]
