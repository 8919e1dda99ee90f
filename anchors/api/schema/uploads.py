"""How the API description shows uploads of pictures."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from anchors.api import serializers
from config.api.schema import responses

screenshot_uploads = extend_schema_view(
    create=extend_schema(
        operation_id="uploadScreenshot",
        summary="Get a ticket to upload a picture",
        description="For a PNG, JPEG or WebP of at most 10 MiB. Send its bytes to `upload_url` with the ticket's "
        "headers, then call confirmScreenshotUpload. The URL takes the bytes of this size and SHA-256 alone. Twenty "
        "tickets of a job may be open: the next closes the oldest. The file name is for people to read; nothing is "
        "told from it.",
        request=serializers.ScreenshotUploadBody,
        responses=responses(
            201,
            serializers.ScreenshotUploadSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "STORAGE_FULL",
        ),
    )
)
screenshot_confirmations = extend_schema_view(
    create=extend_schema(
        operation_id="confirmScreenshotUpload",
        summary="Say that a picture is uploaded",
        description="Looks at the stored bytes and keeps them as a picture without an anchor. Size, SHA-256, type, "
        "width and height are measured and must be what the ticket and this body say: `details.mismatches` names "
        "each that is not. Width and height are those of the stored pixels, as image libraries give them, before "
        "any rotation by EXIF. A file is refused for good, and removed, if it is not a complete PNG, JPEG or WebP of "
        "at most 40 megapixels, is animated, has bytes after its end, contains another file, or is CMYK. "
        "The same upload again gives the same picture.",
        request=serializers.ConfirmScreenshotUploadBody,
        responses=responses(
            200,
            serializers.ConfirmedScreenshotUploadSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "UPLOAD_NOT_RECEIVED",
            "UPLOAD_EXPIRED",
            "UPLOAD_VERIFICATION_FAILED",
            "STORAGE_FULL",
        ),
    ),
)
anchor_uploads = extend_schema_view(
    create=extend_schema(
        operation_id="attachUpload",
        summary="Put an uploaded picture on an anchor",
        description="It becomes the next version of the anchor, and its active picture. Asked again nothing changes, "
        "also when another is active by then. 404 for an upload of another job and for one that is not confirmed. "
        "On further anchors the same upload is a further picture with the same bytes. Metadata (EXIF, GPS, XMP) is "
        "kept in the picture and stripped from what is exported.",
        request=serializers.AttachUploadBody,
        responses=responses(
            200,
            serializers.ScreenshotAnchorSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "IDEMPOTENCY_KEY_REUSED",
            "STORAGE_FULL",
        ),
    ),
)
