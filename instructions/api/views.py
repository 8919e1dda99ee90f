"""Routes of documents and their versions."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api import errors
from config.api.ownership import get_visible
from config.api.pagination import PageQuery, page_response, read_page
from config.api.schema import answers
from config.api.serializers import read_body, read_query
from instructions import services
from instructions.api import serializers as s
from instructions.models import Instruction, InstructionVersion


def _answer(version: InstructionVersion) -> Response:
    return Response(s.InstructionSerializer(version).data, headers={"ETag": services.etag(version)})


class InstructionDetail(APIView):
    @extend_schema(
        operation_id="getInstruction",
        parameters=[s.InstructionQuery],
        responses=answers(200, s.InstructionSerializer, 404),
    )
    def get(self, request: Request, instruction_id: str) -> Response:
        instruction = get_visible(Instruction.objects.visible_to(request.user), instruction_id)
        number = read_query(s.InstructionQuery, request).get("version", instruction.version)
        version = instruction.versions.select_related("instruction").filter(version=number).first()
        if version is None:
            raise errors.not_found()
        return _answer(version)

    @extend_schema(
        operation_id="saveInstruction",
        request=s.SaveBody,
        responses=answers(200, s.InstructionSerializer, 404, 409, 412),
    )
    def put(self, request: Request, instruction_id: str) -> Response:
        instruction = get_visible(Instruction.objects.visible_to(request.user), instruction_id)
        body = read_body(s.SaveBody, request)
        if_match = request.headers.get("If-Match")
        return _answer(
            services.save_instruction(instruction=instruction, user=request.user, if_match=if_match, **body)
        )


class Versions(APIView):
    @extend_schema(
        operation_id="listInstructionVersions",
        parameters=[PageQuery],
        responses=answers(200, s.VersionSerializer, 404, many=True),
    )
    def get(self, request: Request, instruction_id: str) -> Response:
        instruction = get_visible(Instruction.objects.visible_to(request.user), instruction_id)
        rows, following = read_page(instruction.versions.defer("markdown"), request)
        return page_response(s.VersionSerializer(rows, many=True).data, following)
