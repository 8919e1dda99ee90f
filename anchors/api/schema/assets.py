"""How the API description shows pictures."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from anchors.api import serializers
from config.api.schema import responses

anchor_assets = extend_schema_view(
    destroy=extend_schema(
        operation_id="deleteAnchorAsset",
        summary="Delete a picture of an anchor",
        description="The newest picture that is left becomes the active one when it was that. The picture is listed "
        "with `include_deleted_assets` still, and its bytes stay for the exports that were made with it. Taken out "
        "of the video again, it is a new picture.",
        responses=responses(
            200, serializers.AssetDeletionSerializer, "FSM_TRANSITION_INVALID", "FSM_TERMINAL_IMMUTABLE"
        ),
    )
)
assets = extend_schema_view(
    content=extend_schema(
        operation_id="getAssetContent",
        summary="Get the bytes of a picture",
        description="The bytes never change, so they may be cached for good. The type is the picture's own. "
        "Where files lie in a bucket the answer is a redirect there; send no token to it.",
        responses=responses(
            200,
            bytes,
            media=("application/octet-stream", "image/png", "image/jpeg", "image/webp"),
            response_headers=("Cache-Control", "Content-Disposition", "ETag"),
            request_headers=("If-None-Match",),
            redirects=True,
        ),
    )
)
