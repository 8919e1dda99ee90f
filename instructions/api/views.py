"""Routes of documents and their versions."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import errors
from config.api.endpoint import Endpoint
from config.api.ownership import get_visible
from config.api.pagination import PageQuery, page_response, read_page
from config.api.schema import answers
from config.api.serializers import read_body
from instructions import services
from instructions.api import serializers as s
from instructions.models import Instruction, InstructionVersion


def _answer(version: InstructionVersion) -> Response:
    return Response(s.InstructionSerializer(version).data, headers={"ETag": services.etag(version)})


class InstructionDetail(Endpoint):
    queries = {"GET": s.InstructionQuery}

    @extend_schema(
        operation_id="getInstruction",
        summary="Get an instruction, the newest version or another",
        responses=answers(200, s.InstructionSerializer, sends=("ETag",)),
    )
    def get(self, request: Request, instruction_id: str) -> Response:
        instruction = get_visible(Instruction.objects.visible_to(request.user), instruction_id)
        number = self.query.get("version", instruction.version)
        version = instruction.versions.select_related("instruction").filter(version=number).first()
        if version is None:
            raise errors.not_found()
        return _answer(version)

    @extend_schema(
        operation_id="saveInstruction",
        summary="Save an instruction",
        request=s.SaveBody,
        responses=answers(
            200,
            s.InstructionSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "VERSION_CONFLICT",
            "PRECONDITION_FAILED",
            sends=("ETag",),
            takes=("If-Match",),
        ),
    )
    def put(self, request: Request, instruction_id: str) -> Response:
        instruction = get_visible(Instruction.objects.visible_to(request.user), instruction_id)
        body = read_body(s.SaveBody, request)
        if_match = request.headers.get("If-Match")
        return _answer(
            services.save_instruction(instruction=instruction, user=request.user, if_match=if_match, **body)
        )


class Versions(Endpoint):
    queries = {"GET": PageQuery}

    @extend_schema(
        operation_id="listInstructionVersions",
        summary="List the versions of an instruction",
        responses=answers(200, s.VersionSerializer, many=True),
    )
    def get(self, request: Request, instruction_id: str) -> Response:
        instruction = get_visible(Instruction.objects.visible_to(request.user), instruction_id)
        rows, following = read_page(instruction.versions.defer("markdown"), request, self.query)
        return page_response(s.VersionSerializer(rows, many=True).data, following)
