"""How the API description shows exports."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from config.api.schema import Responses, accepted, responses
from exports.api import serializers
from exports.signing import PAYLOAD_TYPE

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
        description="The SHA-256 of each file, and for each step and picture what it rests on. As "
        "application/vnd.in-toto+json it is signed.",
        responses=Responses(
            {
                (200, "application/json"): serializers.ExportManifestSerializer,
                (200, PAYLOAD_TYPE): serializers.EnvelopeSerializer,
            },
            ("EXPORT_NOT_READY",),
        ),
    ),
)
keys = extend_schema_view(
    retrieve=extend_schema(
        operation_id="getKeys",
        summary="Get the public keys that manifests are signed by",
        description="The key of now and former ones, as a JSON Web Key Set (RFC 7517, RFC 8037). No token.",
        responses=responses(200, serializers.KeySetSerializer, response_headers=("Cache-Control",)),
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
