"""Liveness and readiness. `/readyz` names the parts that are down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import Now
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from config.api import errors
from config.storage import storage
from config.work.broker import ping
from config.work.lanes import Lane
from config.work.models import ALIVE_SECONDS, Worker
from config.work.sender import SENDER

ALIVE = timedelta(seconds=ALIVE_SECONDS)


class Down(Exception):
    """A part is down; the words say what is missing, and may be read by anybody."""


def reading_only(view: Callable[[HttpRequest], JsonResponse]) -> Callable[[HttpRequest], JsonResponse]:
    """Refuse all but GET and HEAD, before a body is read."""

    @csrf_exempt
    def guarded(request: HttpRequest) -> JsonResponse:
        if request.method not in ("GET", "HEAD"):
            return errors.json_response(
                errors.ApiError(405, "METHOD_NOT_ALLOWED", "This path does not take that method.")
            )
        return view(request)

    return guarded


@reading_only
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def _database() -> None:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrations() -> None:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise RuntimeError("migrations are missing")


def _workers() -> None:
    living = Worker.objects.filter(heartbeat_at__gt=Now() - ALIVE).values_list("lanes", flat=True)
    served = {lane for lanes in living for lane in lanes}
    if missing := [lane for lane in Lane if lane not in served]:
        raise Down(f"no worker for {', '.join(missing)}")


CHECKS: dict[str, Callable[[], None]] = {
    "database": _database,
    "migrations": _migrations,
    "storage": lambda: storage().check(),
    "broker": lambda: SENDER.call(ping),
    "workers": _workers,
}
IN_THE_DATABASE = {"migrations", "workers"}  # not asked for while it is away, as each would wait for it again


@reading_only
def readyz(request: HttpRequest) -> JsonResponse:
    """Return 200 when every part works, else 503, with the state of each in `parts`."""
    parts: dict[str, str] = {}
    for name, check in CHECKS.items():
        if name in IN_THE_DATABASE and parts["database"] != "ok":
            parts[name] = "unknown (the database is down)"
            continue
        try:
            check()
            parts[name] = "ok"
        except Exception as error:
            parts[name] = f"down ({error if isinstance(error, Down) else type(error).__name__})"
    ready = all(state == "ok" for state in parts.values())
    content = {"status": "ready" if ready else "not ready", "parts": parts}
    return JsonResponse(content, status=200 if ready else 503)
