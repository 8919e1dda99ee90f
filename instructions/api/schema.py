"""How the API description shows documents and their versions."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from config.api.schema import responses
from instructions.api import serializers

instructions = extend_schema_view(
    retrieve=extend_schema(
        operation_id="getInstruction",
        summary="Get an instruction, the newest version or another",
        responses=responses(200, serializers.InstructionSerializer, response_headers=("ETag",)),
    ),
    update=extend_schema(
        operation_id="saveInstruction",
        summary="Save an instruction",
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
    versions=extend_schema(
        operation_id="listInstructionVersions",
        summary="List the versions of an instruction",
        responses=responses(200, serializers.VersionSerializer, many=True),
    ),
)
