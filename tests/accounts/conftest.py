"""The identity provider that the service trusts, and a clock for the age of its keys."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from config.accounts import jwks
from tests.accounts.provider import Clock, Handler, Provider, ec_key, jwk, rsa_key, trust


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """An identity provider with one RSA and one EC key, which the service trusts."""
    found = Provider()
    found.serve(jwk(rsa_key("a"), "rsa", alg="RS256"), jwk(ec_key("a"), "ec"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"provider": found}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/keys"
    trust(settings, found.url)
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(jwks, "monotonic", found)
    return found
