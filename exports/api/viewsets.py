"""Exports of a job's document, how the guides of a project look, and how two guides differ."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import errors
from config.api.ownership import get_visible
from config.api.pagination import PageQuery
from config.api.responses import FILE_HEADERS, accepted
from config.api.serializers import read_body
from config.api.viewsets import ApiViewSet
from exports.api import schema, serializers
from exports.api.renderers import EnvelopeRenderer, PageRenderer
from exports.models import Export
from exports.services.comparing import ComparisonPage, compare_as_page, compare_instructions
from exports.services.requests import request_export
from exports.services.signing import published_keys, shown_manifest, signed_manifest
from exports.services.templates import change_template, template_of
from instructions.models import Instruction
from jobs.models import Job, Project

KEYS_SECONDS = 300


@schema.exports
class ExportViewSet(ApiViewSet[Export]):
    lookup_url_kwarg = "export_id"
    query_serializers = {"list": PageQuery}

    def get_queryset(self) -> QuerySet[Export]:
        return Export.objects.visible_to(self.request.user)

    def create(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        body = {"idempotency_key": None, **read_body(serializers.ExportBody, request)}
        export, replayed = request_export(job=job, user=request.user, **body)
        content = serializers.ExportSerializer(export).data
        location = reverse("export-detail", args=[export.pk])
        return accepted(content, location=location, retry_after=1, replayed=replayed)

    def list(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        return self.page(job.exports.all(), serializers.ExportSerializer)

    def retrieve(self, request: Request, export_id: str) -> Response:
        return Response(serializers.ExportSerializer(self.get_object()).data)

    @action(detail=True, renderer_classes=[JSONRenderer, EnvelopeRenderer])
    def manifest(self, request: Request, export_id: str) -> Response:
        export = self.get_object()
        if export.status != Export.SUCCEEDED:
            message = "This export has no artifact yet."
            raise errors.conflict("EXPORT_NOT_READY", message, status=export.status)
        shown = shown_manifest(export)
        is_signed = isinstance(request.accepted_renderer, EnvelopeRenderer)
        return Response(signed_manifest(shown) if is_signed else shown)


@schema.comparisons
class ComparisonViewSet(ApiViewSet[Instruction]):
    lookup_url_kwarg = "instruction_id"
    query_serializers = {"retrieve": serializers.ComparisonQuery}
    renderer_classes = [JSONRenderer, PageRenderer]

    def get_queryset(self) -> QuerySet[Instruction]:
        return Instruction.objects.visible_to(self.request.user).select_related("job")

    def retrieve(self, request: Request, instruction_id: str) -> Response:
        old, new = self.get_object(), get_visible(self.get_queryset(), self.query["with"])
        if isinstance(request.accepted_renderer, PageRenderer):
            return _as_file(compare_as_page(old=old, new=new, user=request.user))
        steps = compare_instructions(old=old, new=new, user=request.user)
        return Response(serializers.ComparisonSerializer({"steps": steps}).data)


def _as_file(page: ComparisonPage) -> Response:
    disposition = f'attachment; filename="{page.filename}"'
    return Response(page.content, headers={**FILE_HEADERS, "Content-Disposition": disposition})


@schema.templates
class GuideTemplateViewSet(ApiViewSet[Project]):
    lookup_url_kwarg = "project_id"

    def create(self, request: Request, project_id: str) -> Response:
        project = get_visible(Project.objects.visible_to(request.user), project_id)
        changes = read_body(serializers.GuideTemplateBody, request)
        template = change_template(project=project, user=request.user, changes=changes)
        return Response(serializers.GuideTemplateSerializer(template).data)

    def retrieve(self, request: Request, project_id: str) -> Response:
        project = get_visible(Project.objects.visible_to(request.user), project_id)
        return Response(serializers.GuideTemplateSerializer(template_of(project)).data)


@schema.keys
class KeyViewSet(ApiViewSet[Any]):
    """The public keys, for whoever holds an export: no token."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    def retrieve(self, request: Request) -> Response:
        return Response(
            {"keys": published_keys()}, headers={"Cache-Control": f"public, max-age={KEYS_SECONDS}"}
        )
