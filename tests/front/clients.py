"""Clients that take no end, each of a kind of its own; and somebody else, who wants to be served meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from anchors.models import Asset
from config.storage import storage
from config.storage.signed_urls import upload_url
from jobs.models import Job
from jobs.states import JobStatus
from tests.factories import Api, make_asset, make_job
from tests.front.raw import Wire
from tests.front.server import Server
from tests.uploads import make_upload_ticket

PICTURE = bytes(range(256)) * 4096 * 12  # 12 MiB


def make_picture(job: Job, content: bytes = PICTURE) -> Asset:
    """Return an asset with these bytes, which need be no picture."""
    asset = make_asset(job)
    with storage().local_path(asset.uri) as path:
        path.write_bytes(content)
    return asset


def ticket_path(job: Job, size_bytes: int) -> str:
    """Return the path of a new ticket, for a video of this size, of a job that is UPLOADING."""
    url = upload_url(make_upload_ticket(job, size_bytes=size_bytes).key)
    return "/" + url.split("/", 3)[3]


def slow_kinds(server: Server, api: Api) -> dict[str, Callable[[], Wire]]:
    """Return, by name, what opens a slow connection of each kind."""
    picture, bearer = make_picture(make_job(owner=api.user)), api.headers["authorization"]

    def promising(method: str, path: str, **headers: Any) -> Callable[[], Wire]:
        return lambda: Wire(server).ask(method, path, b"x", content_length=5000, **headers)

    def upload() -> Wire:
        job = make_job(JobStatus.UPLOADING, owner=api.user)  # of one job only a few are taken at once
        return promising("PUT", ticket_path(job, 5000), content_type="video/mp4")()

    def reader() -> Wire:
        content = f"/api/v1/assets/{picture.pk}/content"
        return Wire(server, window=4096).ask("GET", content, authorization=bearer)

    return {
        "sign-in": promising("POST", "/admin/login/", content_type="application/x-www-form-urlencoded"),
        "api": promising("POST", "/api/v1/projects", authorization=bearer, content_type="application/json"),
        "upload": upload,
        "health": promising("POST", "/healthz", cookie="csrftoken=" + "a" * 32),
        "reader": reader,
        "headers": lambda: Wire(server).send(b"GET /healthz HTTP/1.1\r\nHost: 127"),
    }


def waits(server: Server, api: Api, number: int, *, pause: float = 0) -> list[float]:
    """Return how long (s) each of so many requests of somebody else took, one after the other."""
    found = []
    with httpx.Client(base_url=server.url, headers=api.headers, timeout=20) as client:
        for _ in range(number):
            started = time.monotonic()
            assert client.get("/api/v1/projects").status_code == 200
            found.append(time.monotonic() - started)
            time.sleep(pause)
    return found
