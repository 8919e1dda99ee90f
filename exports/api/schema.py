"""How the API description shows exports."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from config.api.schema import accepted, responses
from exports.api import serializers

exports = extend_schema_view(
    create=extend_schema(
        operation_id="requestExport",
        summary="Export one version of the document",
        description="What it is made of is frozen now. The same document, pictures and format are the same "
        "export, with the same bytes; a FAILED one starts again.",
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
        description="The exports of one job, newest first.",
        responses=responses(200, serializers.ExportSerializer, many=True),
    ),
    retrieve=extend_schema(
        operation_id="getExport",
        summary="Get an export",
        description="Poll it until it is SUCCEEDED or FAILED. `download_url` is there on success, fresh in each "
        "answer.",
        responses=responses(200, serializers.ExportSerializer),
    ),
    manifest=extend_schema(
        operation_id="getExportManifest",
        summary="Get the manifest of an export that succeeded",
        description="The SHA-256 of each file, and for each picture where it comes from.",
        responses=responses(200, serializers.ExportManifestSerializer, "EXPORT_NOT_READY"),
    ),
)

templates = extend_schema_view(
    create=extend_schema(
        operation_id="changeTemplate",
        summary="Change how the guides of a project look",
        description="What is named is changed, the rest stays; null takes back the default. Exports that are asked "
        "for from now on look so; the earlier ones stay as they are.",
        request=serializers.GuideTemplateBody,
        responses=responses(200, serializers.GuideTemplateSerializer),
    ),
    retrieve=extend_schema(
        operation_id="getTemplate",
        summary="Get how the guides of a project look",
        description="What was set; null is the default.",
        responses=responses(200, serializers.GuideTemplateSerializer),
    ),
)
