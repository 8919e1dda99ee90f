"""Signed URLs of our own: PUT one upload, GET one file. The signature is the permission; no token is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from django.conf import settings
from django.core import signing
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import content_disposition_header
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from uuid6 import uuid7

from config.api import errors
from config.api.endpoint import Endpoint
from config.api.limits import DIGITS
from config.api.schema import answers
from config.api.storage import CHUNK, TooLarge, storage

UPLOAD_SALT, DOWNLOAD_SALT = "stepwright.upload", "stepwright.download"
RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})\Z")


def new_ticket_key(folder: str) -> str:
    """A new key of a folder that a ticket may write to. The key proves by itself that we gave it out."""
    name = str(uuid7())
    return f"{folder}{name}-{_proof(folder + name)}"


def is_ticket_key(key: str, folder: str) -> bool:
    """Whether `new_ticket_key(folder)` gave this key."""
    name, _, proof = key.rpartition("-")
    return key.startswith(folder) and constant_time_compare(proof, _proof(name))


def _proof(name: str) -> str:
    return salted_hmac("stepwright.ticket", name, algorithm="sha256").hexdigest()[:32]


def upload_url(key: str, *, max_bytes: int, seconds: int) -> tuple[str, datetime]:
    """A URL that takes one PUT to `key`, and when it ends."""
    expires_at = timezone.now() + timedelta(seconds=seconds)
    token = signing.dumps(
        {"key": key, "max": max_bytes, "exp": int(expires_at.timestamp())}, salt=UPLOAD_SALT
    )
    return f"{settings.PUBLIC_URL}/api/v1/files/uploads/{token}", expires_at


def download_url(
    uri: str, *, filename: str, mime_type: str, seconds: int | None = None
) -> tuple[str, datetime]:
    """A URL that gives one file under a good name, and when it ends."""
    expires_at = timezone.now() + timedelta(seconds=seconds or settings.DOWNLOAD_URL_SECONDS)
    content = {"uri": uri, "name": filename, "type": mime_type, "exp": int(expires_at.timestamp())}
    token = signing.dumps(content, salt=DOWNLOAD_SALT, compress=True)
    return f"{settings.PUBLIC_URL}/api/v1/files/{token}", expires_at


def _read_token(token: str, salt: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = signing.loads(token, salt=salt)
    except signing.BadSignature as error:
        raise errors.not_found() from error
    if content["exp"] < timezone.now().timestamp():
        raise errors.not_found()
    return content


class AnyAccept(BaseContentNegotiation):
    """For views that answer a file: its type is what it is, whatever Accept says; errors are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class SignedUpload(Endpoint):
    """Streams the body to disk in constant memory. A PUT again replaces what was there."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="putUpload",
        tags=["files"],
        summary="Upload the bytes that a ticket is for",
        request={"*/*": bytes},
        responses=answers(204, None, "PAYLOAD_TOO_LARGE", "STORAGE_FULL"),
    )
    def put(self, request: Request, token: str) -> HttpResponse:
        ticket = _read_token(token, UPLOAD_SALT)
        chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        length = request.headers.get("Content-Length") or "0"
        expected = None if chunked else int(length) if DIGITS.match(length) else 0
        if expected is not None and expected > ticket["max"]:
            raise errors.too_large()
        # A chunked body has no length for Django to limit its stream by; the ticket's limit holds instead.
        body: Any = request.META["wsgi.input"] if chunked else request._request
        try:
            storage().receive(ticket["key"], body, limit=ticket["max"], expected=expected)
        except TooLarge as error:
            raise errors.too_large() from error
        except ConnectionError as error:
            raise errors.invalid(
                "body", "The upload ended before all its bytes came.", hint="Send it again."
            ) from error
        return HttpResponse(status=204)


class SignedDownload(Endpoint):
    """Gives the file, with ranges (RFC 9110, section 14), always as an attachment."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="getFile",
        tags=["files"],
        summary="Download a file",
        responses=answers(
            200,
            bytes,
            media=("*/*",),
            sends=("Content-Disposition", "Cache-Control"),
            takes=("Range",),
        ),
    )
    def get(self, request: Request, token: str) -> HttpResponseBase:
        return self.respond(request, token, with_body=True)

    def head(self, request: Request, token: str) -> HttpResponseBase:
        return self.respond(request, token, with_body=False)

    def respond(self, request: Request, token: str, *, with_body: bool) -> HttpResponseBase:
        file = _read_token(token, DOWNLOAD_SALT)
        try:
            size = storage().size(file["uri"])
        except FileNotFoundError as error:
            raise errors.not_found() from error
        headers = {
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-store",
            "Content-Disposition": content_disposition_header(True, file["name"]) or "attachment",
            "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
            "X-Content-Type-Options": "nosniff",
        }
        first, last, status = _range(request.headers.get("Range", ""), size)
        if status == 416:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        if status == 206:
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        headers["Content-Length"] = str(last - first + 1)
        if not with_body:
            return HttpResponse(status=status, headers=headers, content_type=file["type"])
        content = _pieces(storage().open(file["uri"]), first, last)
        return StreamingHttpResponse(content, status=status, headers=headers, content_type=file["type"])


def _range(header: str, size: int) -> tuple[int, int, int]:
    """First and last byte, and the status: 206 for one satisfiable range, 416 for none, 200 for all else."""
    match = RANGE.match(header)
    if not match or match.groups() == ("", ""):
        return 0, size - 1, 200
    start, end = match.groups()
    first = int(start) if start else max(0, size - int(end))
    last = min(int(end), size - 1) if start and end else size - 1
    return (first, last, 206) if first <= last else (0, 0, 416)


def _pieces(file: BinaryIO, first: int, last: int) -> Iterator[bytes]:
    with file:
        file.seek(first)
        left = last - first + 1
        while left and (piece := file.read(min(CHUNK, left))):
            left -= len(piece)
            yield piece
