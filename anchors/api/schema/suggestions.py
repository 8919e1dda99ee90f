"""How the API description shows suggested moments."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from anchors.api import serializers
from config.api.schema import accepted, responses

suggestions = extend_schema_view(
    list=extend_schema(
        operation_id="listScreenshotSuggestions",
        summary="Suggest the moment that shows each step best",
        description="One for each step of the newest version, in their order: the last still picture before the screen "
        "changes under the action, else the first still one after it. While the video is being looked at, "
        "the answer is 409 with Retry-After. With `auto_screenshots` this happens while the job is processed, so "
        "there is usually no wait. Without a document the list is empty.",
        responses=responses(200, serializers.SuggestionSerializer(many=True), "SCREEN_EVENTS_NOT_READY"),
    ),
    create=extend_schema(
        operation_id="autoScreenshots",
        summary="Take a picture for each step that has none",
        description="Takes the suggested pictures of the steps of a version that have none, on an anchor of each. "
        "Answers the tasks of all steps whose pictures were taken so, also those that the pipeline took for the first "
        "draft; 200 when no step needs one. Poll each by getScreenshotTask; Location lists the anchors. "
        "While the video is being looked at, the answer is 409 with Retry-After.",
        request=serializers.AutoBody,
        responses=accepted(
            serializers.ScreenshotTaskSerializer(many=True),
            "SCREEN_EVENTS_NOT_READY",
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "STORAGE_FULL",
        ),
    ),
)
