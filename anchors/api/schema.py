"""How the API description shows anchors, screenshot tasks and pictures."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from anchors.api import serializers
from config.api.schema import accepted, responses

anchors = extend_schema_view(
    create=extend_schema(
        operation_id="createAnchor",
        summary="Put an anchor on a block or a passage",
        request=serializers.AnchorBody,
        responses=responses(
            201, serializers.AnchorSerializer, "FSM_TRANSITION_INVALID", "FSM_TERMINAL_IMMUTABLE"
        ),
    ),
    list=extend_schema(
        operation_id="listAnchors",
        summary="List the anchors of an instruction",
        responses=responses(200, serializers.AnchorSerializer, many=True),
    ),
    retrieve=extend_schema(
        operation_id="getAnchor",
        summary="Get an anchor, resolved into a version if asked",
        responses=responses(200, serializers.AnchorSerializer),
    ),
    annotations=extend_schema(
        operation_id="annotateAnchor",
        summary="Draw on a picture of an anchor",
        request=serializers.AnnotationBody,
        responses=responses(
            200,
            serializers.AnnotationSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "IDEMPOTENCY_KEY_REUSED",
            "STORAGE_FULL",
        ),
    ),
)
screenshot_tasks = extend_schema_view(
    create=extend_schema(
        operation_id="extractScreenshot",
        summary="Take a picture out of the video",
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
        responses=responses(200, serializers.ScreenshotTaskSerializer),
    ),
)
assets = extend_schema_view(
    content=extend_schema(
        operation_id="getAssetContent",
        summary="Get the bytes of a picture",
        responses=responses(
            200,
            bytes,
            media=("image/png", "image/jpeg", "image/webp"),
            response_headers=("Cache-Control", "ETag"),
        ),
    )
)
