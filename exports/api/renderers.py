"""The media types of signed manifests and of pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import JSONRenderer

from exports.signing import PAYLOAD_TYPE


class FileRenderer(JSONRenderer):
    """Sends a file as its bytes are, and errors as JSON."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if isinstance(data, bytes):
            return data
        if renderer_context:
            renderer_context["response"]["Content-Type"] = JSONRenderer.media_type
        rendered: bytes = super().render(data, JSONRenderer.media_type, renderer_context)
        return rendered


class EnvelopeRenderer(FileRenderer):
    """Sends an envelope as it was signed."""

    media_type = PAYLOAD_TYPE
    format = "dsse"


class PageRenderer(FileRenderer):
    media_type = "text/html"
    format = "html"
    charset = "utf-8"
