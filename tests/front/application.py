"""The service's application, with bounds of TEST_BOUNDS and a header `X-Test: sleep=SECONDS`, `fail` or `busy`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from config.api import errors, limits
from config.asgi import wsgi
from config.front.application import Front
from config.front.bounds import Bounds, Pace, Pool


def obedient(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Do what the header says, in the thread of the request, and then what the service does."""
    what, _, value = environ.get("HTTP_X_TEST", "").partition("=")
    if what == "sleep":
        time.sleep(float(value))
    if what == "busy" and limits.REFUSAL not in environ:
        raise errors.overloaded()
    if what == "fail":
        raise RuntimeError("the application failed")
    return wsgi(environ, start_response)


def bounds(changed: dict[str, list[Any]]) -> Bounds:
    kinds = {"body": Pace, "upload": Pace, "answer": Pace, "api": Pool, "heavy": Pool, "calls": Pool}
    return Bounds(**{name: kinds[name](*values) for name, values in changed.items()})


application = Front(obedient, bounds(json.loads(os.environ["TEST_BOUNDS"])))
