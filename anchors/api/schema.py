"""How the API description shows anchors, screenshot tasks and pictures."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from anchors.api import serializers
from config.api.schema import accepted, responses

anchors = extend_schema_view(
    create=extend_schema(
        operation_id="createAnchor",
        summary="Put an anchor on a block or a passage",
        description="The place must be in the version that is named. Pictures are put on it by extractScreenshot "
        "and annotateAnchor.",
        request=serializers.AnchorBody,
        responses=responses(
            201, serializers.ScreenshotAnchorSerializer, "FSM_TRANSITION_INVALID", "FSM_TERMINAL_IMMUTABLE"
        ),
    ),
    list=extend_schema(
        operation_id="listAnchors",
        summary="List the anchors of an instruction",
        description="Each with its pictures, newest anchor first.",
        responses=responses(200, serializers.ScreenshotAnchorSerializer, many=True),
    ),
    retrieve=extend_schema(
        operation_id="getAnchor",
        summary="Get an anchor, resolved into a version if asked",
        description="With `target_instruction_version_id` it says where the anchor stands in that version. The "
        "same two versions give the same answer; a place that is not found is `unresolved`.",
        responses=responses(200, serializers.ScreenshotAnchorSerializer),
    ),
    annotations=extend_schema(
        operation_id="annotateAnchor",
        summary="Draw on a picture of an anchor",
        description="Draws a new picture from one of the anchor's, and makes it the active one. The same base and "
        "operations give the same picture, and nothing is drawn anew.",
        request=serializers.AnnotationBody,
        responses=responses(
            200,
            serializers.AnnotationResultSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "IDEMPOTENCY_KEY_REUSED",
            "STORAGE_FULL",
        ),
    ),
)
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
screenshot_tasks = extend_schema_view(
    create=extend_schema(
        operation_id="extractScreenshot",
        summary="Take a picture out of the video",
        description="Takes the frame that is shown at a time. Poll the task; the same picture is the same task. "
        "With an address and no anchor, one is made.",
        request=serializers.ExtractBody,
        responses=accepted(
            serializers.ScreenshotTaskSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "IDEMPOTENCY_KEY_REUSED",
            "STORAGE_FULL",
        ),
    ),
    retrieve=extend_schema(
        operation_id="getScreenshotTask",
        summary="Get a screenshot task",
        description="Poll it until it is SUCCEEDED or FAILED.",
        responses=responses(200, serializers.ScreenshotTaskSerializer),
    ),
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
