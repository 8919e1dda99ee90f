"""Tickets, and the bytes of a recording on their way to a ticket's URL."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from django.conf import settings
from django.test import Client
from uuid6 import uuid7

from config.storage import storage, uploads_folder
from jobs.models import Artifact, Job, UploadTicket
from tests.factories import Api

# What a ticket is asked for.
BODY = {"filename": "recording.mp4", "size_bytes": 10, "mime_type": "video/mp4"}
TEN = b"ten bytes!"


def make_upload_ticket(job: Job, **fields: Any) -> UploadTicket:
    """An open one for ten bytes, which have not come."""
    about: dict[str, Any] = {
        "key": f"{uploads_folder(job.pk)}{uuid7()}",
        "filename": "recording.mp4",
        "mime_type": "video/mp4",
        "size_bytes": 10,
        "expires_at": datetime.now(UTC) + timedelta(hours=1),
    }
    return UploadTicket.objects.create(job=job, **about | fields)


def ask(api: Api, job: Job, **about: Any) -> Any:
    """The ticket, as the API answers it."""
    answer = api.post(f"/jobs/{job.pk}/upload", {**BODY, **about})
    assert answer.status_code == 201, answer.content
    return answer.json()


def put(url: str, content: bytes, *, mime_type: str = "video/mp4", **headers: str) -> Any:
    if not url.startswith(settings.PUBLIC_URL):
        answer = httpx.put(url, content=content, headers={"Content-Type": mime_type, **headers})
        return SimpleNamespace(status_code=204 if answer.is_success else answer.status_code)
    return Client(raise_request_exception=False).generic(
        "PUT", url.removeprefix(settings.PUBLIC_URL), content, content_type=mime_type, headers=headers
    )


def confirm(api: Api, job: Job, ticket: Any) -> Any:
    return api.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": ticket["video_uri"]})


def files(folder: Path) -> list[Path]:
    """Every file in the storage, drafts too; the storage's own lock file is none of them."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]


def kept(job: Job) -> bytes:
    """What is kept as the job's video; it has the hash that its row names."""
    video = Artifact.objects.get(job=job, kind="video")
    with storage().open(video.uri) as file:
        content = file.read()
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (video.sha256, video.size_bytes)
    return content
