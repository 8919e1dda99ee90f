"""The ASGI application: from a request to its answer."""

from __future__ import annotations

import asyncio
import io
import logging
import tempfile
from dataclasses import dataclass
from typing import Any

import structlog

from config.api import errors, limits, request_id
from config.front.bodies import Receive, take_in
from config.front.bounds import KIB, Bounds
from config.front.connections import allow_many_connections, bound_connections
from config.front.lanes import Lanes
from config.front.sending import Send, deliver
from config.front.uploads import admitted, receiving
from config.front.wsgi import Answer, Application, call, environment

log = logging.getLogger(__name__)

IN_MEMORY = 64 * KIB  # of a body; what is beyond goes to a temporary file


@dataclass
class Request:
    scope: dict[str, Any]
    receive: Receive
    has_body: bool = False

    def header(self, name: bytes) -> str:
        """Return the first header with this name, in lower case, or an empty text."""
        return next((value.decode("latin-1") for key, value in self.scope["headers"] if key == name), "")


class Front:
    """Takes the bodies in, has the WSGI application called in a lane's thread, and sends the answers."""

    def __init__(self, application: Application, bounds: Bounds | None = None) -> None:
        self.application = application
        self.bounds = bounds or Bounds()
        self.lanes = Lanes(self.bounds)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        request = Request(scope, receive)
        try:
            answer = await self._answer(request)
        except Exception as error:
            answer = self._refusal(request, error)
        await deliver(
            answer,
            receive,
            send,
            is_head=scope["method"] == "HEAD",
            bounds=self.bounds,
            reads=self.lanes.reads,
        )

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                allow_many_connections()
                bounding = asyncio.create_task(bound_connections(self.bounds.answer.seconds))
            else:
                bounding.cancel()
                self.lanes.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _answer(self, request: Request) -> Answer:
        scope = request.scope
        length, encoding = request.header(b"content-length"), request.header(b"transfer-encoding")
        request.has_body = bool(encoding) or length not in ("", "0")
        limits.check_headers(scope["headers"])
        if not request.has_body:
            return await self._call(scope, io.BytesIO(), 0)
        path = scope["path"]
        if limits.is_upload(scope["method"], path):
            return await self._upload(request, path, int(length) if length else None)
        limit = limits.body_limit(path, length=length, encoding=encoding)
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as body:

            async def write(piece: bytes) -> None:
                body.write(piece)

            size = await take_in(request.receive, write, limit=limit, pace=self.bounds.body)
            request.has_body = False
            body.seek(0)
            return await self._call(scope, body, size)

    async def _upload(self, request: Request, path: str, length: int | None) -> Answer:
        kind = request.header(b"content-type")
        admission = await self.lanes.api.run(admitted, path, length, kind)
        async with receiving(request.receive, admission, self.bounds.upload, self.lanes.writes) as draft:
            request.has_body = False
            return await self._call(request.scope, draft, draft.size)

    async def _call(self, scope: dict[str, Any], body: Any, length: int) -> Answer:
        lane = self.lanes.of(scope["method"], scope["path"])
        return await lane.run(call, self.application, environment(scope, body, length))

    def _refusal(self, request: Request, exception: Exception) -> Answer:
        """Return our own answer. If the body was not read to its end, the connection ends with it."""
        value = request_id.take(request.header(b"x-request-id"))
        structlog.contextvars.bind_contextvars(request_id=value)
        error = errors.translate(exception)
        if error.status == 500:
            log.error("request failed in the front", exc_info=exception)
        elif error.status >= 500:
            log.warning("request refused: %s", error.code)
        response = errors.json_response(error)
        headers = [(name.lower().encode(), text.encode()) for name, text in response.items()]
        headers += [(b"x-request-id", value.encode()), (b"content-length", b"%d" % len(response.content))]
        return Answer(error.status, headers, response.content, is_last=request.has_body)
