"""What the service is measured against: the same work in plain views, served by the same process."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from datetime import datetime
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

import psycopg  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from psycopg.types.json import Jsonb  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from uuid6 import uuid7  # noqa: E402

from config.accounts.authentication import decode  # noqa: E402
from config.accounts.models import User  # noqa: E402
from config.urls import handler404, handler500  # noqa: E402, F401
from jobs.models import Job  # noqa: E402


def callback(request: HttpRequest, job_id: str) -> HttpResponse:
    """The SQL of a callback by hand: lock, ledger, artifact, transition, audit."""
    if not hmac.compare_digest(request.headers["X-Callback-Secret"], settings.CALLBACK_SECRETS[0]):
        return HttpResponse(status=401)
    body = json.loads(request.body)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    occurred_at = datetime.fromisoformat(body["occurred_at"])
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    with raw.transaction(), raw.cursor() as cursor:
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
            return HttpResponse(status=200)
        if (latest and occurred_at < latest) or status != "AUDIO_EXTRACTING":
            return HttpResponse(status=409)
        uri = body["artifact_updates"]["audio_uri"]
        cursor.execute(
            "INSERT INTO jobs_artifact (id, job_id, kind, version, uri, sha256)"
            " SELECT %s, %s, 'audio', 1 + coalesce(max(version), 0), %s, '' FROM jobs_artifact"
            " WHERE job_id = %s AND kind = 'audio'",
            [uuid7(), job_id, uri, job_id],
        )
        cursor.execute(
            "UPDATE jobs_job SET status = %s, revision = %s, manifest = %s, latest_applied_occurred_at = %s,"
            " updated_at = now() WHERE id = %s",
            [
                body["status"],
                revision + 1,
                Jsonb({**json.loads(manifest), "audio_uri": uri}),
                occurred_at,
                job_id,
            ],
        )
        cursor.execute(
            "INSERT INTO jobs_auditevent (id, job_id, project_id, event_type, actor_type, actor_id, prev_status,"
            " new_status, occurred_at, correlation_id, data)"
            " VALUES (%s, %s, %s, 'JOB_STATUS_REPORTED', 'orchestrator', '', %s, %s, %s, %s, %s)",
            [
                uuid7(),
                job_id,
                project_id,
                status,
                body["status"],
                occurred_at,
                body["correlation_id"],
                Jsonb({}),
            ],
        )
        cursor.execute(
            "INSERT INTO jobs_callbackevent (id, job_id, event_id, payload_sha256, status, occurred_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [uuid7(), job_id, body["event_id"], digest, body["status"], occurred_at],
        )
    return HttpResponse(status=204)


class BareAuthentication:
    def authenticate(self, request: Request) -> tuple[Any, Any]:
        claims = decode(request.headers["Authorization"].split()[1])
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


class BareJob(APIView):
    """Token, user row, one row by key, ModelSerializer."""

    authentication_classes = [BareAuthentication]  # type: ignore[list-item]
    permission_classes = [IsAuthenticated]
    throttle_classes: list[Any] = []

    def get(self, request: Request, job_id: str) -> Response:
        return Response(BareSerializer(Job.objects.get(pk=job_id, owner=request.user)).data)


urlpatterns = [
    path("bench/callback/<str:job_id>", callback),
    path("bench/jobs/<str:job_id>", BareJob.as_view()),
    path("", include("config.urls")),
]
settings.ROOT_URLCONF = __name__
settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "csrf" not in name.lower()]
application = get_wsgi_application()
