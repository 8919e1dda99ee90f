"""What the service is measured against: the same work in plain views, in the same server, front and middleware.

`/api/bench/…` is behind all that the service's own views are behind: granian, our front with its threads, Django's WSGI
handler, and every middleware of the settings. `/bare/…` are the same views in a handler without any middleware. A
request of theirs passes one or two patterns of URLs, one of ours some more. They check the token with PyJWT and read
the user's row, as ours do; they have no throttle, no ETag, no queue position and no scoping beyond `owner`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

import jwt  # noqa: E402
import psycopg  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from psycopg.types.json import Jsonb  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.authentication import BaseAuthentication  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from uuid6 import uuid7  # noqa: E402

from config.accounts.models import User  # noqa: E402
from config.front.application import Front  # noqa: E402
from config.urls import handler400, handler403, handler404, handler500  # noqa: E402, F401
from jobs.models import Job  # noqa: E402


@csrf_exempt
def callback(request: HttpRequest, job_id: str) -> HttpResponse:
    """The SQL of a callback by hand: lock, ledger, artifact, transition, audit.

    Ours is prepared, and this is not: Django's cursors put the values into the text.
    """
    if not hmac.compare_digest(request.headers["X-Callback-Secret"], settings.CALLBACK_SECRETS[0]):
        return HttpResponse(status=401)
    body = json.loads(request.body)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    with raw.transaction(), raw.cursor() as cursor:
        return HttpResponse(status=apply(cursor, job_id, body, digest))


def apply(cursor: psycopg.Cursor[Any], job_id: str, body: dict[str, Any], digest: str) -> int:
    """Write what a callback writes; return the status of the answer."""
    occurred_at = datetime.fromisoformat(body["occurred_at"])
    cursor.execute(
        "SELECT status, project_id, revision, manifest, latest_applied_occurred_at, dispatch_id"
        " FROM jobs_job WHERE id = %s FOR UPDATE",
        [job_id],
    )
    status, project_id, revision, manifest, latest, _ = cursor.fetchone()  # type: ignore[misc]
    cursor.execute(
        "SELECT payload_sha256 FROM jobs_callbackevent WHERE job_id = %s AND event_id = %s",
        [job_id, body["event_id"]],
    )
    if cursor.fetchone():
        return 200
    if (latest and occurred_at < latest) or status != "AUDIO_EXTRACTING":
        return 409
    uri = body["artifact_updates"]["audio_uri"]
    cursor.execute(
        "INSERT INTO jobs_artifact (id, job_id, kind, version, uri, sha256)"
        " SELECT %s, %s, 'audio', 1 + coalesce(max(version), 0), %s, '' FROM jobs_artifact"
        " WHERE job_id = %s AND kind = 'audio'",
        [uuid7(), job_id, uri, job_id],
    )
    manifest = Jsonb({**json.loads(manifest), "audio_uri": uri})  # Django's connections give JSON as text
    cursor.execute(
        "UPDATE jobs_job SET status = %s, revision = %s, manifest = %s, latest_applied_occurred_at = %s,"
        " updated_at = now() WHERE id = %s",
        [body["status"], revision + 1, manifest, occurred_at, job_id],
    )
    about = [body["status"], occurred_at, body["correlation_id"], Jsonb({})]
    cursor.execute(
        "INSERT INTO jobs_auditevent (id, job_id, project_id, event_type, actor_type, actor_id, prev_status,"
        " new_status, occurred_at, correlation_id, data)"
        " VALUES (%s, %s, %s, 'JOB_STATUS_REPORTED', 'orchestrator', '', %s, %s, %s, %s, %s)",
        [uuid7(), job_id, project_id, status, *about],
    )
    cursor.execute(
        "INSERT INTO jobs_callbackevent (id, job_id, event_id, payload_sha256, status, occurred_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [uuid7(), job_id, body["event_id"], digest, body["status"], occurred_at],
    )
    return 204


class BareAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Any, Any]:
        rules = settings.JWT
        claims = jwt.decode(
            request.headers["Authorization"].split()[1],
            rules["SECRET"],
            algorithms=rules["ALGORITHMS"],
            issuer=rules["ISSUER"],
            audience=rules["AUDIENCE"],
        )
        return User.objects.get(issuer=claims["iss"], subject=claims["sub"]), None


class BareSerializer(serializers.ModelSerializer[Job]):
    class Meta:
        model = Job
        fields = (
            "id",
            "project_id",
            "status",
            "manifest",
            "options",
            "instruction_id",
            "failure",
            "created_at",
            "updated_at",
        )


class Bare(APIView):
    authentication_classes = [BareAuthentication]
    permission_classes = [IsAuthenticated]
    throttle_classes: list[Any] = []


class BareJob(Bare):
    """Token, user row, one row by key, ModelSerializer."""

    def get(self, request: Request, job_id: str) -> Response:
        return Response(BareSerializer(Job.objects.get(pk=job_id, owner_id=request.user.pk)).data)


class BareJobs(Bare):
    """Token, user row, the newest hundred rows, ModelSerializer."""

    def get(self, request: Request) -> Response:
        rows = Job.objects.filter(owner_id=request.user.pk).order_by("-pk")[:100]
        return Response(BareSerializer(rows, many=True).data)


bare = [
    path("callback/<str:job_id>", callback),
    path("jobs/<str:job_id>", BareJob.as_view()),
    path("jobs", BareJobs.as_view()),
]
urlpatterns = [
    path("api/bench/", include(bare)),
    path("bare/", include(bare)),
    path("", include("config.urls")),
]
settings.ROOT_URLCONF = __name__
behind_middleware = WSGIHandler()
settings.MIDDLEWARE = []
without_middleware = WSGIHandler()


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The WSGI application that the front calls."""
    is_bare = environ["PATH_INFO"].startswith("/bare/")
    handler: Any = without_middleware if is_bare else behind_middleware
    answer: Iterable[bytes] = handler(environ, start_response)
    return answer


application = Front(wsgi)
