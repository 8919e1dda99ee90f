"""Shapes of requests and answers of this app, as the contract's section 7 gives them."""

from __future__ import annotations

from anchors.api.serializers.anchors import (
    AddressingBody,
    AddressingField,
    AnchorBody,
    AnchorListQuery,
    AnchorQuery,
    AnchorResolutionSerializer,
    ScreenshotAnchorSerializer,
)
from anchors.api.serializers.annotations import (
    AnnotationBody,
    AnnotationResultSerializer,
)
from anchors.api.serializers.assets import (
    AssetDeletionSerializer,
    FrameSerializer,
    ScreenshotAssetSerializer,
)
from anchors.api.serializers.redactions import (
    AcceptBody,
    RedactionBody,
    RedactionSerializer,
    RedactionSuggestionSerializer,
    RegionSerializer,
)
from anchors.api.serializers.suggestions import AutoBody, SuggestionSerializer
from anchors.api.serializers.tasks import (
    ExtractBody,
    ReplaceBody,
    ScreenshotTaskSerializer,
)
from anchors.api.serializers.uploads import (
    AttachUploadBody,
    ConfirmedScreenshotUploadSerializer,
    ConfirmScreenshotUploadBody,
    ScreenshotUploadBody,
    ScreenshotUploadSerializer,
)

__all__ = [
    "AcceptBody",
    "AddressingBody",
    "AddressingField",
    "AnchorBody",
    "AnchorListQuery",
    "AnchorQuery",
    "AnchorResolutionSerializer",
    "AnnotationBody",
    "AnnotationResultSerializer",
    "AssetDeletionSerializer",
    "AutoBody",
    "AttachUploadBody",
    "ConfirmScreenshotUploadBody",
    "ConfirmedScreenshotUploadSerializer",
    "ExtractBody",
    "FrameSerializer",
    "RedactionBody",
    "RedactionSerializer",
    "RedactionSuggestionSerializer",
    "RegionSerializer",
    "ReplaceBody",
    "ScreenshotAnchorSerializer",
    "ScreenshotAssetSerializer",
    "ScreenshotTaskSerializer",
    "SuggestionSerializer",
    "ScreenshotUploadBody",
    "ScreenshotUploadSerializer",
]
