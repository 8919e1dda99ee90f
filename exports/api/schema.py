"""How the API description shows exports."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view

from config.api.schema import Responses, accepted, responses
from exports.api import serializers
from exports.signing import PAYLOAD_TYPE

exports = extend_schema_view(
    create=extend_schema(
        operation_id="requestExport",
        summary="Export one version of the document",
        description="What it is made of is frozen now. The same document, pictures and format are the same "
        "export, with the same bytes; a FAILED one starts again. It says how many steps there are, how long the "
        "recording is, and on which day (UTC) it was made as its file says, else on which it was uploaded.",
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

comparisons = extend_schema_view(
    retrieve=extend_schema(
        operation_id="compareInstructions",
        summary="Compare a guide with another one of the same flow",
        description="Tells whether a guide is stale when its flow was recorded again: which of its steps are the same "
        "in the other guide, have other words, another picture or both, are new (added) or gone (removed). The newest "
        "versions of the two are compared. Steps are put together by how alike their words are, in the order of both "
        "guides; one that was moved is removed and added. Words count without case, white space and the punctuation "
        "around them; numbers and times of steps, and text and pictures outside of steps, do not count. Pictures are "
        "compared as a person sees them: other compression, another resolution, a move by a pixel or two, a pointer, a "
        "caret and what was drawn on them are no change, as far as nothing is hidden by it; a step's pictures are "
        "paired in their order.\n\n"
        "As text/html the answer is one HTML file for people, with the pictures before and after and the words that "
        "came and went. More than 300 steps or 120 pictures of a guide, 600 megapixels together, or 64 MiB of pictures "
        "in a page are refused with COMPARISON_TOO_LARGE.",
        responses=Responses(
            {
                (200, "application/json"): serializers.ComparisonSerializer,
                (200, "text/html"): OpenApiTypes.STR,
            },
            ("ASSET_MISSING", "COMPARISON_TOO_LARGE"),
        ),
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
