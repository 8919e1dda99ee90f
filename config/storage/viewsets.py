"""The signed URLs: upload and download of one file."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from config.api import errors
from config.api.limits import DIGITS
from config.api.responses import FILE_HEADERS
from config.api.viewsets import AnyAccept, ApiViewSet
from config.storage import schema, storage
from config.storage.base import Draft
from config.storage.signed_urls import DOWNLOAD_SALT, read_token
from config.storage.uploads import ADMISSION, admit_upload, receive_upload

RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})\Z")


@schema.uploads
class UploadViewSet(ApiViewSet[Any]):
    """Upload with a ticket, in constant memory. A second PUT replaces the file."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    content_negotiation_class = AnyAccept
    lookup_url_kwarg = "token"

    def update(self, request: Request, token: str) -> HttpResponse:
        length = _content_length(request)
        # The front admitted it before it took the bytes; the ticket may have expired while they came.
        admission = request.META.get(ADMISSION) or admit_upload(
            token, length, request.headers.get("Content-Type", "")
        )
        source: Any = request.META["wsgi.input"]
        # Django limits its stream by the length, which a chunked body does not have; then the ticket's size does.
        limited: Any = request._request
        receive_upload(admission, source if length is None or isinstance(source, Draft) else limited)
        return HttpResponse(status=204)


@schema.downloads
class DownloadViewSet(ApiViewSet[Any]):
    """Download of one file, with ranges (RFC 9110, section 14), always as an attachment."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    content_negotiation_class = AnyAccept
    lookup_url_kwarg = "token"

    def retrieve(self, request: Request, token: str) -> HttpResponseBase:
        file = read_token(token, DOWNLOAD_SALT)
        try:
            size = storage().size(file["uri"])
        except FileNotFoundError as error:
            raise errors.not_found() from error
        return _part(request, file, size)


def _content_length(request: Request) -> int | None:
    """Return the length of the body in bytes, None when it comes in chunks."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        return None
    length = request.headers.get("Content-Length", "")
    return int(length) if DIGITS.match(length) else 0


def _part(request: Request, file: dict[str, Any], size: int) -> HttpResponseBase:
    """Return the part of a file that Range names, or all of it; raise the 416 for one outside the file."""
    first, last, status = _range(request.headers.get("Range", ""), size)
    if status == 416:
        raise errors.ApiError(
            416,
            "RANGE_NOT_SATISFIABLE",
            "The file has no such part.",
            headers={"Content-Range": f"bytes */{size}"},
        )
    headers = {
        "Accept-Ranges": "bytes",
        **FILE_HEADERS,
        "Content-Length": str(last - first + 1),
    }
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    part = FilePart(storage().open(file["uri"]), first, last)
    return FileResponse(
        part,
        as_attachment=True,
        filename=file["name"],
        status=status,
        headers=headers,
        content_type=file["type"],
    )


def _range(header: str, size: int) -> tuple[int, int, int]:
    """Return the first and last byte, and the status: 206 for a range, 416 for one outside the file, else 200."""
    match = RANGE.match(header)
    if not match or match.groups() == ("", ""):
        return 0, size - 1, 200
    start, end = match.groups()
    first = int(start) if start else max(0, size - int(end))
    last = min(int(end), size - 1) if start and end else size - 1
    return (first, last, 206) if first <= last else (0, 0, 416)


class FilePart:
    """The bytes from `first` to `last` of a file, which is closed with it."""

    def __init__(self, file: BinaryIO, first: int, last: int) -> None:
        file.seek(first)
        self._file, self._left = file, last - first + 1

    def read(self, size: int) -> bytes:
        piece = self._file.read(min(size, self._left))
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        self._file.close()
