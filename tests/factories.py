"""Plain functions that make what a test starts from, by the same services that the API uses."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pgtrigger
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from uuid6 import uuid7

from config.api.storage import kept_folder, storage
from jobs import work
from jobs.models import Artifact, Dispatch, Job, Project, User
from jobs.services import callbacks
from jobs.services.callbacks import Report
from jobs.services.jobs import create_job, create_project
from jobs.states import Actor, JobStatus

SAMPLE = Path(__file__).parent / "media" / "sample.mp4"
S = JobStatus
# Reports that take an uploaded job along the pipeline.
ROAD = (S.AUDIO_EXTRACTING, S.AUDIO_READY, S.TRANSCRIBING, S.TRANSCRIPT_READY, S.GENERATING, S.DRAFT_READY)
TRANSCRIPT = {
    "language": "en",
    "recogniser": "test",
    "segments": [
        {"start_ms": 0, "end_ms": 2000, "text": "Click the New button."},
        {"start_ms": 2500, "end_ms": 4000, "text": "Type the name."},
    ],
}
DRAFT = {"markdown": "# Guide\n\n## Step 1: Click New (0:00–0:02)\n\nClick the New button.\n\n"
         "## Step 2: Type the name (0:02–0:04)\n\nType the name.\n"}  # fmt: skip


def make_user(name: str = "owner") -> User:
    return User.objects.provision(issuer=settings.JWT["ISSUER"], subject=name)


def make_token(subject: str, *, secret: str | None = None, algorithm: str = "HS256", **claims: Any) -> str:
    now = datetime.now(UTC)
    content = {
        "iss": settings.JWT["ISSUER"],
        "aud": settings.JWT["AUDIENCE"],
        "sub": subject,
        "exp": now + timedelta(minutes=5),
        **claims,
    }
    content = {name: value for name, value in content.items() if value is not None}
    return jwt.encode(content, settings.JWT["SECRET"] if secret is None else secret, algorithm=algorithm)


class Api:
    """A signed-in client. Bodies are JSON; answers are Django's, with `.json()`."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = Client(raise_request_exception=False)
        self.headers = {"authorization": f"Bearer {make_token(user.subject)}"}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        path = path if path.startswith("/api") else f"/api/v1{path}"
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(
            method, path, content, content_type="application/json", headers={**self.headers, **names}
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("PUT", path, body, **headers)


def make_project(owner: User | None = None, name: str = "Project") -> Project:
    return create_project(owner=owner or make_user(), name=name)


def make_job(status: JobStatus = S.CREATED, *, owner: User | None = None, **options: Any) -> Job:
    """A job in a status, brought there the way real ones come: by confirm, run, reports and the owner's acts.

    A status that no such road ends at (FAILED, CANCELLED, REGENERATING, EXPORTING, DONE) is set by `force`.
    """
    job = create_job(project=make_project(owner), options={"auto_screenshots": True, **options})
    if status in (S.CREATED, S.UPLOADING):
        return force(job, status)
    stored = storage().save_bytes(kept_folder(job.pk), b"stands for a video", suffix="")
    Artifact.objects.create(
        job=job, kind="video", version=1, uri=stored.uri, sha256=stored.sha256, data={"duration_ms": 10_000}
    )
    job.manifest = {"video_uri": storage().uri(f"uploads/{job.pk}/{uuid7()}")}
    job.save(update_fields=["manifest"])
    job = force(job, S.UPLOADED)
    if status == S.UPLOADED:
        return job
    job.dispatch = Dispatch.objects.create(
        job=job, kind="run", status=Dispatch.RUNNING, orchestrator="http", accepted_at=datetime.now(UTC)
    )
    job.save(update_fields=["dispatch"])
    reach = ROAD[: ROAD.index(status) + 1] if status in ROAD else ROAD
    for reported in reach:
        report(job, reported)
    job = Job.objects.get(pk=job.pk)
    return job if status in ROAD else force(job, status)


def force(job: Job, status: JobStatus) -> Job:
    """Set a status past the table, with the trigger off: for tests that start in the middle."""
    with pgtrigger.ignore("jobs.Job:job_status_table"):
        Job.objects.filter(pk=job.pk).update(status=status)
    return Job.objects.get(pk=job.pk)


def report(job: Job, status: JobStatus, **updates: Any) -> None:
    """One report of an orchestrator, through the callback service; content comes inline."""
    if status == S.AUDIO_READY:
        updates.setdefault("audio_uri", storage().save_bytes(kept_folder(job.pk), b"sound", suffix="").uri)
    if status == S.TRANSCRIPT_READY:
        updates.setdefault("transcript", TRANSCRIPT)
    if status == S.DRAFT_READY:
        updates.setdefault("draft", DRAFT)
    event_id = str(uuid7())
    made = Report(
        event_id=event_id,
        status=status,
        occurred_at=datetime.now(UTC),
        correlation_id="test",
        actor=Actor.ORCHESTRATOR,
        artifact_updates=updates,
        failure=None,
        payload_sha256=callbacks.canonical_sha256({"event_id": event_id}),
    )
    callbacks.apply_callback(job_id=job.pk, report=made)


def upload(api: Api, job_id: object, content: bytes) -> str:
    """Ticket and PUT; answers the video_uri to confirm."""
    ticket = api.post(
        f"/jobs/{job_id}/upload",
        {"filename": "a.mp4", "size_bytes": len(content) or 1, "mime_type": "video/mp4"},
    ).json()
    path = ticket["upload_url"].removeprefix(settings.PUBLIC_URL)
    answer = api.client.generic("PUT", path, content, content_type="video/mp4")
    assert answer.status_code == 204, answer.content
    uri: str = ticket["video_uri"]
    return uri


def work_off() -> int:
    """Do what waits, in this process, as a worker would; answers how many rows were performed."""
    done = 0
    while True:
        waiting = [
            (model, pk)
            for model in work.ACTORS
            for pk in model._default_manager.filter(status=model.WAITING).values_list("pk", flat=True)
        ]
        performed = [work.perform_row(model, pk) for model, pk in waiting]
        done += sum(performed)
        if not any(performed):
            return done


def png(width: int = 64, height: int = 48, colour: str = "navy") -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()
