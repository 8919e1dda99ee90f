"""Call a WSGI application (PEP 3333) for an ASGI request, in a thread of the caller."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from django.db import close_old_connections

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Headers = list[tuple[bytes, bytes]]


@dataclass
class Answer:
    """A whole answer, or one whose bytes are read from `file`, which has `read` and `close`."""

    status: int
    headers: Headers
    body: bytes = b""
    file: Any = None
    is_last: bool = field(default=False)
    """Whether the connection ends with it, as a part of the request was not read."""


class _File:
    """What the application returns for a file: our `wsgi.file_wrapper`."""

    def __init__(self, file: Any, block_size: int = 0) -> None:
        self.file = file


def environment(scope: dict[str, Any], body: BinaryIO, length: int) -> dict[str, Any]:
    """Return the WSGI environment of an ASGI scope with this body, whose length in bytes is known."""
    path = scope["raw_path"]
    client = scope["client"] or ("", "0")
    made: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": _File,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if "_" in name:  # X_Request_ID would pass for X-Request-ID
            continue
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        if key in made:
            value = f"{made[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
        made[key] = value
    made["CONTENT_LENGTH"] = str(length)
    made.pop("HTTP_TRANSFER_ENCODING", None)  # the body is here, and so is its length
    return made


def call(application: Application, environ: dict[str, Any]) -> Answer:
    """Return the application's answer. Its file, if it has one, is still open, and closed by whoever sends it."""
    begun: list[tuple[int, Headers]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        begun[:] = [(int(status[:3]), encoded)]

    result = application(environ, start_response)
    if isinstance(result, _File):
        close_old_connections()  # Django does so when the file is closed, which will be in another thread
        return Answer(*begun[0], file=result.file)
    try:
        body = b"".join(result)
    finally:
        if close := getattr(result, "close", None):
            close()
    return Answer(*begun[0], body=body)
