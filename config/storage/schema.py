"""The API description of the signed URLs."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from config.api.schema import responses

uploads = extend_schema_view(
    update=extend_schema(
        operation_id="putUpload",
        tags=["files"],
        summary="Upload the bytes that a ticket is for",
        description="Streams the body to disk in constant memory. A PUT again replaces what was there.",
        request={"*/*": bytes},
        responses=responses(204, None, "REQUEST_TIMEOUT", "PAYLOAD_TOO_LARGE", "STORAGE_FULL"),
    )
)
downloads = extend_schema_view(
    retrieve=extend_schema(
        operation_id="getFile",
        tags=["files"],
        summary="Download a file",
        description="Gives the file, with ranges (RFC 9110, section 14), always as an attachment.",
        responses=responses(
            200,
            bytes,
            media=("*/*",),
            response_headers=("Content-Disposition", "Cache-Control"),
            request_headers=("Range",),
        ),
    )
)
