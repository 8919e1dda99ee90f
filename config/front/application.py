"""The ASGI application: from a request to its answer."""

from __future__ import annotations

import asyncio
import io
import logging
from dataclasses import dataclass, replace
from typing import Any

import structlog

from config.api import errors, limits, request_id, translation
from config.api.callback_secret import require_callback_secret
from config.front.bodies import Receive, take_in
from config.front.bounds import Bounds
from config.front.buffers import Buffers
from config.front.connections import allow_many_connections, bound_connections
from config.front.lanes import Lanes
from config.front.sending import Send, deliver
from config.front.uploads import admitted, receiving
from config.front.wsgi import Answer, Application, call, environment
from config.storage.uploads import ADMISSION

log = logging.getLogger(__name__)

# Headers of a refused request that the application gets. No more: one of the others may be why it is refused.
READ = (b"host", b"origin", b"access-control-request-method")


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
        self.buffers = Buffers(self.bounds.buffered, self.lanes.writes)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        request = Request(scope, receive)
        try:
            answer = await self._answer(request)
        except Exception as error:
            answer = await self._refuse(request, error)
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
        if sum(name == b"host" for name, _ in scope["headers"]) > 1:  # RFC 9112, section 3.2
            raise errors.invalid("Host", "The request has more than one Host.")
        if not request.has_body:
            return await self._call(scope, io.BytesIO(), 0)
        path = scope["path"]
        if limits.is_upload(scope["method"], path):
            return await self._upload(request, path, int(length) if length else None)
        limit = limits.body_limit(path, length=length, encoding=encoding)
        if path.startswith(limits.CALLBACKS):  # of which none but the orchestrator may bring so many bytes
            require_callback_secret(request.header(b"x-callback-secret"))
        async with self.buffers.new() as buffer:
            size = await take_in(request.receive, buffer.write, limit=limit, pace=self.bounds.body)
            request.has_body = False
            await buffer.rewind()
            return await self._call(scope, buffer.file, size)

    async def _upload(self, request: Request, path: str, length: int | None) -> Answer:
        kind = request.header(b"content-type")
        admission = await self.lanes.api.run(admitted, path, length, kind)
        async with receiving(request.receive, admission, self.bounds.upload, self.lanes.writes) as draft:
            request.has_body = False
            return await self._call(request.scope, draft, draft.size, {ADMISSION: admission})

    async def _call(
        self, scope: dict[str, Any], body: Any, length: int, more: dict[str, Any] | None = None
    ) -> Answer:
        """Return the application's answer; it finds `more` in its environment."""
        lane = self.lanes.of(scope["method"], scope["path"])
        return await lane.run(call, self.application, environment(scope, body, length) | (more or {}))

    async def _refuse(self, request: Request, exception: Exception) -> Answer:
        """Return our own answer. If the body was not read to its end, the connection ends with it."""
        value = request_id.take(request.header(b"x-request-id"))
        structlog.contextvars.bind_contextvars(request_id=value)
        error = translation.translate(exception)
        if error.status == 500:
            log.error("request failed in the front", exc_info=exception)
        elif error.status >= 500:
            log.warning("request refused: %s", error.code)
        headers = [header for header in request.scope["headers"] if header[0] in READ]
        environ = environment({**request.scope, "headers": headers}, io.BytesIO(), 0)
        # Their frames hold the connection, and the application's request, which is a part of cycles, would hold them:
        # the server might not end the connection until the garbage collector comes by.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        environ |= {"HTTP_X_REQUEST_ID": value, limits.REFUSAL: error}
        try:
            answer = await self.lanes.refusals.run(call, self.application, environ)
        except Exception as second:
            if not isinstance(second, errors.ApiError):  # else too many refusals wait already
                log.exception("refusal failed in the front")
            answer = _bare(error, value)
        return replace(answer, is_last=request.has_body)


def _bare(error: errors.ApiError, value: str) -> Answer:
    """Return an answer without the headers that a page of another origin needs to read it."""
    response = errors.json_response(error)
    headers = [(name.lower().encode(), text.encode()) for name, text in response.items()]
    return Answer(error.status, [*headers, (b"x-request-id", value.encode())], response.content)
