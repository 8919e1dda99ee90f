"""How the API description shows anchors."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from anchors.api import serializers
from config.api.schema import accepted, accepted_if_preferred, responses

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
        "same two versions give the same answer; a place that is not found is `unresolved`. Those who look after the "
        "service can put such an anchor on a block by hand, once a version; in later versions it is looked for from "
        "there.",
        responses=responses(200, serializers.ScreenshotAnchorSerializer),
    ),
    replace=extend_schema(
        operation_id="replaceScreenshot",
        summary="Take another picture for an anchor out of the video",
        description="Takes the frame that is shown at a time, and makes it the anchor's active picture. Poll the task; "
        "the same picture is the same task, and one that exists already becomes active at once.",
        request=serializers.ReplaceBody,
        responses=accepted(
            serializers.ScreenshotTaskSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "IDEMPOTENCY_KEY_REUSED",
            "STORAGE_FULL",
        ),
    ),
    annotations=extend_schema(
        operation_id="annotateAnchor",
        summary="Draw on a picture of an anchor",
        description="Draws a new picture from one of the anchor's, and makes it the active one. The same base and "
        "operations give the same picture, and nothing is drawn anew or made active. Of a redacted picture the "
        "redacted one is drawn on, and named as the base. With `Prefer: respond-async` a worker draws it: "
        "poll the task. The same picture is the same task, one that failed starts again, and that of a picture which "
        "is there already has succeeded.",
        request=serializers.AnnotationBody,
        responses=accepted_if_preferred(
            serializers.AnnotationResultSerializer,
            serializers.ScreenshotTaskSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "IDEMPOTENCY_KEY_REUSED",
            "STORAGE_FULL",
        ),
    ),
)
