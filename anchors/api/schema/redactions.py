"""How the API description shows redactions."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from anchors.api import serializers
from config.api.schema import responses

redactions = extend_schema_view(
    create=extend_schema(
        operation_id="createRedaction",
        summary="Hide a region in all pictures of a span of the video",
        description="Hides the region in every picture of the job whose frame is on the screen in the span, whenever "
        "the picture was or will be taken. From the answer on, nobody is given a picture that shows it. A worker "
        "draws redacted ones, also of what was drawn on them, which take their places; `status` says when "
        "they are there, in the list too. Until then an export is refused with 503. Exports that "
        "were made before are as they were.",
        request=serializers.RedactionBody,
        responses=responses(201, serializers.RedactionSerializer, "FSM_TERMINAL_IMMUTABLE"),
    ),
    list=extend_schema(
        operation_id="listRedactions",
        summary="List the redactions of a job",
        description="Newest first.",
        responses=responses(200, serializers.RedactionSerializer, many=True),
    ),
    destroy=extend_schema(
        operation_id="deleteRedaction",
        summary="Take a redaction back",
        description="Pictures that no other redaction covers are shown again as they were.",
        responses=responses(204, None, "FSM_TERMINAL_IMMUTABLE"),
    ),
)
