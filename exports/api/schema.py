"""How the API description shows exports."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from config.api.schema import accepted, responses
from exports.api import serializers

exports = extend_schema_view(
    create=extend_schema(
        operation_id="requestExport",
        summary="Export one version of the document",
        request=serializers.ExportBody,
        responses=accepted(
            serializers.ExportSerializer,
            "EXPORT_REQUEST_INVALID",
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "IDEMPOTENCY_KEY_REUSED",
            "STORAGE_FULL",
        ),
    ),
    list=extend_schema(
        operation_id="listExports",
        summary="List the exports of a job",
        responses=responses(200, serializers.ExportSerializer, many=True),
    ),
    retrieve=extend_schema(
        operation_id="getExport",
        summary="Get an export",
        responses=responses(200, serializers.ExportSerializer),
    ),
    manifest=extend_schema(
        operation_id="getExportManifest",
        summary="Get the manifest of an export that succeeded",
        responses=responses(200, dict, "EXPORT_NOT_READY"),
    ),
)
