"""The API description of the signed URLs."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from config.api.schema import responses

uploads = extend_schema_view(
    update=extend_schema(
        operation_id="putUpload",
        tags=["files"],
        summary="Upload the bytes that a ticket is for",
        description=(
            "Send the bytes to the ticket's `upload_url`, with its headers. Size and Content-Type must be those that "
            "the ticket was asked for: fewer bytes or another type are a 400, more a 413. So is, for a picture, "
            "another SHA-256 a 400. A PUT again replaces what was there. Once the ticket has expired, was replaced by "
            "later ones, or its job takes no such upload any more, it is a 409; a PUT that began before `expires_at` "
            "may end after it."
        ),
        request={"application/octet-stream": bytes},
        responses=responses(
            204,
            None,
            "UPLOAD_EXPIRED",
            "REQUEST_TIMEOUT",
            "PAYLOAD_TOO_LARGE",
            "RATE_LIMITED",
            "STORAGE_FULL",
        ),
    )
)
downloads = extend_schema_view(
    retrieve=extend_schema(
        operation_id="getFile",
        tags=["files"],
        summary="Download a file",
        description="Takes ranges (RFC 9110, section 14) and HEAD; the file is always an attachment.",
        responses=responses(
            200,
            bytes,
            media=("application/octet-stream", "*/*"),
            response_headers=("Content-Disposition", "Cache-Control"),
            request_headers=("Range",),
        ),
    )
)
