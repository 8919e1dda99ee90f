"""An external orchestrator over HTTP: each execution is one POST, and reports come by callback.

Every request carries `Idempotency-Key`: the dispatch's id (with `:cancel` for a cancellation). With a secret
the body is signed by the Standard Webhooks scheme (https://www.standardwebhooks.com, version 1):
`webhook-signature: v1,BASE64(HMAC-SHA256(secret, "ID.TIMESTAMP.BODY"))`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from concurrent.futures import Future
from typing import Any

from jobs.orchestrators.base import AnswerLost, NotAccepted

CONNECT_SECONDS = 2.0
# The answers of a gateway that had none in time: the orchestrator behind it may have begun.
BY_A_GATEWAY = (408, 502, 504)


class Http:
    """Sends to `url`; `seconds` bounds a whole call, from the name look-up to the last header of the answer."""

    performs_here = False

    def __init__(self, url: str, *, secret: str = "", seconds: float = 10.0) -> None:
        self.url, self.secret, self.seconds = url, secret, seconds

    def send(self, key: str, payload: dict[str, Any]) -> None:
        self._post(key, payload)

    def send_cancel(self, key: str, payload: dict[str, Any]) -> None:
        self._post(f"{key}:cancel", {"event": "cancel", **payload})

    def _post(self, key: str, payload: dict[str, Any]) -> None:
        # Imported here: it takes 20 ms, and most processes never call an external orchestrator.
        import httpx

        body = json.dumps(payload, ensure_ascii=False).encode()
        try:
            status = self._in_time(body, self.headers(key, body))
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.UnsupportedProtocol,
            httpx.InvalidURL,
        ) as error:
            # The orchestrator has received nothing of the request.
            raise NotAccepted(type(error).__name__) from error
        except (httpx.TransportError, TimeoutError) as error:
            raise AnswerLost(type(error).__name__) from error
        if status in BY_A_GATEWAY:
            raise AnswerLost(f"status {status}")
        if not 200 <= status < 300:  # a redirect is not followed: it would send the work to another host
            raise NotAccepted(f"status {status}")

    def _in_time(self, body: bytes, headers: dict[str, str]) -> int:
        """Return the answer's status; raise TimeoutError after `seconds`, whatever is slow.

        A name look-up cannot be interrupted, so the call runs in a thread of its own, which is abandoned then.
        """
        outcome: Future[int] = Future()

        async def call() -> None:
            try:
                outcome.set_result(await asyncio.wait_for(self._status(body, headers), self.seconds))
            except BaseException as error:
                outcome.set_exception(error)

        threading.Thread(target=lambda: asyncio.run(call()), daemon=True).start()
        return outcome.result()

    async def _status(self, body: bytes, headers: dict[str, str]) -> int:
        import httpx

        timeout = httpx.Timeout(self.seconds, connect=min(CONNECT_SECONDS, self.seconds))
        # A transport of its own takes no proxy from the environment, which would be sent the addresses of the files.
        transport = httpx.AsyncHTTPTransport()
        async with (
            httpx.AsyncClient(timeout=timeout, transport=transport, follow_redirects=False) as client,
            client.stream("POST", self.url, content=body, headers=headers) as response,
        ):
            return response.status_code

    def headers(self, key: str, body: bytes) -> dict[str, str]:
        found = {"Content-Type": "application/json", "Idempotency-Key": key, "User-Agent": "Stepwright"}
        if self.secret:
            moment = str(int(time.time()))
            signed = f"{key}.{moment}.".encode() + body
            digest = hmac.digest(signing_key(self.secret), signed, hashlib.sha256)
            found |= {
                "webhook-id": key,
                "webhook-timestamp": moment,
                "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
            }
        return found


def signing_key(secret: str) -> bytes:
    """Return the key of a secret: what follows `whsec_`, decoded from base64, or else its characters."""
    prefix, _, encoded = secret.rpartition("whsec_")
    return base64.b64decode(encoded) if not prefix and encoded != secret else secret.encode()
