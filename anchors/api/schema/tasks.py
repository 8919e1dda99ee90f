"""How the API description shows screenshot tasks."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from anchors.api import serializers
from config.api.schema import accepted, responses

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
