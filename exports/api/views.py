"""Routes of exports."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import errors
from config.api.endpoint import Endpoint
from config.api.ownership import get_visible
from config.api.pagination import PageQuery, page_response, read_page
from config.api.schema import accepted, answers
from config.api.serializers import read_body
from exports import services
from exports.api import serializers as s
from exports.models import Export
from jobs.models import Job


class JobExports(Endpoint):
    queries = {"GET": PageQuery}

    @extend_schema(
        operation_id="requestExport",
        summary="Export one version of the document",
        request=s.ExportBody,
        responses=accepted(
            s.ExportSerializer,
            "EXPORT_REQUEST_INVALID",
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "IDEMPOTENCY_KEY_REUSED",
        ),
    )
    def post(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        body = {"idempotency_key": None, **read_body(s.ExportBody, request)}
        export, replayed = services.request_export(job=job, user=request.user, **body)
        poll = {} if replayed else {"Location": f"/api/v1/exports/{export.pk}", "Retry-After": "1"}
        return Response(s.ExportSerializer(export).data, 200 if replayed else 202, headers=poll)

    @extend_schema(
        operation_id="listExports",
        summary="List the exports of a job",
        responses=answers(200, s.ExportSerializer, many=True),
    )
    def get(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        rows, following = read_page(job.exports.all(), request, self.query)
        return page_response(s.ExportSerializer(rows, many=True).data, following)


class ExportDetail(Endpoint):
    @extend_schema(
        operation_id="getExport",
        summary="Get an export",
        responses=answers(200, s.ExportSerializer),
    )
    def get(self, request: Request, export_id: str) -> Response:
        return Response(
            s.ExportSerializer(get_visible(Export.objects.visible_to(request.user), export_id)).data
        )


class ExportManifest(Endpoint):
    @extend_schema(
        operation_id="getExportManifest",
        summary="Get the manifest of an export that succeeded",
        responses=answers(200, dict, "EXPORT_NOT_READY"),
    )
    def get(self, request: Request, export_id: str) -> Response:
        export = get_visible(Export.objects.visible_to(request.user), export_id)
        if export.status != Export.SUCCEEDED:
            raise errors.conflict(
                "EXPORT_NOT_READY", "This export has no artifact yet.", status=export.status
            )
        return Response({"export_id": str(export.pk), **(export.manifest or {})})
