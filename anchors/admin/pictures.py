"""The bytes of a picture for staff, and the picture that one was drawn on."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

from anchors.models import Asset
from config.storage import read_bytes

MAX_BYTES = 64 * 2**20


def picture_response(request: HttpRequest, asset: Asset) -> HttpResponseBase:
    """Return a picture; raise 404 for one that a redaction conceals, whose bytes are given to nobody, and for one whose
    file is gone."""
    if asset.is_concealed:
        raise Http404
    etag = f'"{asset.checksum_sha256}"'
    headers = {"Cache-Control": "private, max-age=3600", "ETag": etag}
    if unchanged := get_conditional_response(request, etag=etag):
        return unchanged
    try:
        content = read_bytes(asset.uri, limit=MAX_BYTES)
    except FileNotFoundError as error:
        raise Http404 from error
    return HttpResponse(content, content_type=asset.mime_type, headers=headers)


def base_of(asset: Asset) -> Asset | None:
    """Return the picture that one was drawn on; none if that is concealed: what lies under a redaction is shown to
    nobody."""
    below = asset.rendered_from
    return None if below is None or below.is_concealed else below
