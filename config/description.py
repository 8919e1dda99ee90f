"""`/api/v1/openapi.json`: the description of the API, generated once in a process."""

from __future__ import annotations

import hashlib
import threading
from functools import cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.request import Request

from config.api.responses import matches_etag

CACHE_SECONDS = 300
# Generating takes some 0.3 s of CPU, and drf-spectacular keeps state in the views' classes meanwhile.
_one_at_a_time = threading.Lock()


class DescriptionView(SpectacularJSONAPIView):
    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        with _one_at_a_time:
            content, etag = _generated()
        headers = {"ETag": etag, "Cache-Control": f"public, max-age={CACHE_SECONDS}"}
        if matches_etag(request, etag):
            return HttpResponse(status=304, headers=headers)
        headers["Content-Disposition"] = 'inline; filename="Stepwright.json"'
        return HttpResponse(content, content_type=request.accepted_renderer.media_type, headers=headers)


@cache
def _generated() -> tuple[bytes, str]:
    """Return the description as JSON, the same for everybody, and its ETag."""
    schema = DescriptionView.generator_class().get_schema(request=None, public=True)
    content: bytes = OpenApiJsonRenderer().render(schema)
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'
