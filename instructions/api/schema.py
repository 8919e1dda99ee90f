"""How the API description shows documents and their versions."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from config.api.schema import responses
from instructions.api import serializers

instructions = extend_schema_view(
    retrieve=extend_schema(
        operation_id="getInstruction",
        summary="Get an instruction, the newest version or another",
        description="The text with its blocks and what the validator found.",
        responses=responses(200, serializers.InstructionSerializer, response_headers=("ETag",)),
    ),
    update=extend_schema(
        operation_id="saveInstruction",
        summary="Save an instruction",
        description="Each save is a new version, unless nothing changed. Of several writers with one base_version "
        "one wins; the others get VERSION_CONFLICT.",
        request=serializers.SaveBody,
        responses=responses(
            200,
            serializers.InstructionSerializer,
            "DOCUMENT_TOO_COMPLEX",
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "VERSION_CONFLICT",
            "PRECONDITION_FAILED",
            response_headers=("ETag",),
            request_headers=("If-Match",),
        ),
    ),
    steps=extend_schema(
        operation_id="getInstructionSteps",
        summary="Get the steps of an instruction, of the newest version or another",
        description="The steps in the order of the text, each with when it is shown in the video, what it rests on and "
        "the anchors in it. A step's span and evidence stay with its block through edits, moves, splits and merges.",
        responses=responses(200, serializers.StepSerializer(many=True)),
    ),
    versions=extend_schema(
        operation_id="listInstructionVersions",
        summary="List the versions of an instruction",
        description="Every version that was saved, newest first, without its text.",
        responses=responses(200, serializers.InstructionVersionSerializer, many=True),
    ),
)
