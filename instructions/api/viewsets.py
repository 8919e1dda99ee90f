"""Documents and their versions."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.pagination import PageQuery
from config.api.responses import accepted
from config.api.serializers import read_body
from config.api.viewsets import ApiViewSet
from instructions import queries
from instructions.api import schema, serializers
from instructions.api.operations import EditBody
from instructions.models import Instruction, RegenerateTask
from instructions.services import editing, history, saving
from instructions.services.regeneration import regenerate_instruction
from instructions.services.versions import etag


@schema.instructions
class InstructionViewSet(ApiViewSet[Instruction]):
    lookup_url_kwarg = "instruction_id"
    query_serializers = {
        "retrieve": serializers.InstructionQuery,
        "steps": serializers.InstructionQuery,
        "versions": PageQuery,
        "diff": serializers.InstructionDiffQuery,
    }

    def get_queryset(self) -> QuerySet[Instruction]:
        return Instruction.objects.visible_to(self.request.user)

    def retrieve(self, request: Request, instruction_id: str) -> Response:
        return _with_etag(queries.read_version(request.user, instruction_id, self.query.get("version")))

    def update(self, request: Request, instruction_id: str) -> Response:
        instruction = self.get_object()
        body = read_body(serializers.SaveBody, request)
        if_match = request.headers.get("If-Match")
        version = saving.save_instruction(
            instruction=instruction, user=request.user, if_match=if_match, **body
        )
        return _with_etag(version)

    @action(detail=True, methods=["post"])
    def edits(self, request: Request, instruction_id: str) -> Response:
        instruction = self.get_object()
        body = read_body(EditBody, request)
        if_match = request.headers.get("If-Match")
        version = editing.edit_instruction(
            instruction=instruction, user=request.user, if_match=if_match, **body
        )
        return _with_etag(version)

    @action(detail=True)
    def steps(self, request: Request, instruction_id: str) -> Response:
        steps = queries.read_steps(request.user, instruction_id, self.query.get("version"))
        return Response(serializers.StepSerializer(steps, many=True).data)

    @action(detail=True)
    def versions(self, request: Request, instruction_id: str) -> Response:
        return self.page(
            self.get_object().versions.defer("markdown", "blocks"), serializers.InstructionVersionSerializer
        )

    @action(detail=True)
    def diff(self, request: Request, instruction_id: str) -> Response:
        compared = history.compare_versions(
            instruction=self.get_object(), before=self.query["from"], after=self.query["to"]
        )
        return Response(serializers.InstructionDiffSerializer(compared).data)

    @action(detail=True, methods=["post"])
    def restore(self, request: Request, instruction_id: str) -> Response:
        instruction = self.get_object()
        body = read_body(serializers.RestoreBody, request)
        if_match = request.headers.get("If-Match")
        version = history.restore_version(
            instruction=instruction, user=request.user, if_match=if_match, **body
        )
        return _with_etag(version)

    @action(detail=True, methods=["post"])
    def regenerate(self, request: Request, instruction_id: str) -> Response:
        instruction = self.get_object()
        body = read_body(serializers.RegenerateBody, request)
        task, replayed = regenerate_instruction(instruction=instruction, user=request.user, **body)
        content = serializers.RegenerateTaskSerializer(task, context={"replayed": replayed}).data
        location = reverse("task-detail", args=[task.pk])
        return accepted(content, location=location, retry_after=1, replayed=replayed)


@schema.tasks
class RegenerateTaskViewSet(ApiViewSet[RegenerateTask]):
    lookup_url_kwarg = "task_id"

    def get_queryset(self) -> QuerySet[RegenerateTask]:
        return RegenerateTask.objects.visible_to(self.request.user)

    def retrieve(self, request: Request, task_id: str) -> Response:
        return Response(serializers.RegenerateTaskSerializer(self.get_object()).data)


def _with_etag(version: Any) -> Response:
    """Return the answer about a version, or about a row of `queries.read_version`."""
    content = serializers.InstructionSerializer(version).data
    return Response(content, headers={"ETag": etag(version)})
