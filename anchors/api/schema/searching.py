"""How the API description shows what should be hidden in a video."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from anchors.api import serializers
from config.api.schema import responses

redaction_suggestions = extend_schema_view(
    list=extend_schema(
        operation_id="listRedactionSuggestions",
        summary="List what should be hidden in the video",
        description="E-mail addresses, card numbers, tokens and keys, phone numbers, and names beside avatars, as they "
        "are read off the screen, in the order in which they come up. What they say is neither answered nor kept. Some "
        "are missed: look at the pictures before they are given away. With `auto_redact` the video is searched from "
        "the start of the job, else with the first call once there is a document; until it is done, the answer is "
        "409 with Retry-After. Of a video that cannot be read the list is empty.",
        responses=responses(
            200, serializers.RedactionSuggestionSerializer, "SCREEN_EVENTS_NOT_READY", many=True
        ),
    ),
    create=extend_schema(
        operation_id="acceptRedactionSuggestions",
        summary="Hide what is suggested",
        description="Makes a redaction of each suggestion, as createRedaction would, all or none, and answers them in "
        "the order of the ids. One that was accepted before is answered with its redaction; with `auto_redact` "
        "several may have one. An id that is not of the job is 404.",
        request=serializers.AcceptBody,
        responses=responses(201, serializers.RedactionSerializer(many=True), "FSM_TERMINAL_IMMUTABLE"),
    ),
)
