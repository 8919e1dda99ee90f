"""Editors who take recordings to guides over HTTP while processes die: each call is sent again until it is answered."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.client import ApiFailed, Client

Json = dict[str, Any]
PATIENCE_SECONDS = 240.0
PASSING = {429, 502, 503}


@dataclass
class Guide:
    """What one editor was told about one guide."""

    job_id: str = ""
    versions: int = 0
    pictures: list[str] = field(default_factory=list)
    exports: dict[str, Json] = field(default_factory=dict)
    is_cancelled: bool = False
    is_done: bool = False


class Patient(Client):
    """A client that sends a call again when the connection breaks, or the service says that it will pass."""

    def __init__(self, base_url: str, token: str, closed: threading.Event) -> None:
        super().__init__(base_url, token)
        self.http.timeout = httpx.Timeout(20)
        self.closed = closed
        self.repeats = 0

    def call(self, method: str, path: str, json: Any = None, **options: Any) -> Any:
        return self.again(lambda: self.http.request(method, path, json=json, **options), f"{method} {path}")

    def again(self, send: Callable[[], httpx.Response], what: str) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                response = send()
            except httpx.TransportError as error:
                last = repr(error)
            else:
                if not response.is_error:
                    kind = response.headers.get("Content-Type", "")
                    return response.json() if kind.startswith("application/json") else response
                last = f"{response.status_code} {response.text}"
                if response.status_code not in PASSING:
                    raise ApiFailed(f"{what}: {last}")
            if time.monotonic() > deadline:
                raise ApiFailed(f"{what}: no answer in {PATIENCE_SECONDS:.0f} s; the last was {last}")
            self.repeats += 1
            time.sleep(0.3)


def make_guide(client: Patient, video: Path, number: int, guide: Guide) -> None:
    """Take a recording to its exports; every fifth is cancelled while it is being performed."""
    project = client.call(
        "POST", "/projects", {"name": f"Load {number}"}, headers={"Idempotency-Key": str(uuid4())}
    )
    job = client.call(
        "POST",
        f"/projects/{project['id']}/jobs",
        {"options": {"language": "en", "auto_screenshots": number % 2 == 0}},
        headers={"Idempotency-Key": str(uuid4())},
    )
    guide.job_id = job["id"]
    _upload(client, job["id"], video)
    client.post(f"/jobs/{job['id']}/run")
    if number % 5 == 4:
        client.wait(f"/jobs/{job['id']}", {"AUDIO_READY", "TRANSCRIBING", "TRANSCRIPT_READY"}, seconds=400)
        _cancel(client, guide)
        return
    job = client.wait(f"/jobs/{job['id']}", {"DRAFT_READY"}, seconds=600)
    document = _save(client, job, guide, number)
    for step in [block for block in document["blocks"] if block["kind"] == "step"][:3]:
        where = {"block_id": step["block_id"], "timestamp_ms": step["start_ms"]}
        task = client.extract(job, document["instruction_version_id"], **where)
        guide.pictures.append(task["asset_id"])
    _annotate(client, task)
    for format in ("PDF", "MD_ZIP", "HTML"):
        export = client.export(job["id"], document["instruction_version_id"], format)
        content = client.again(
            lambda url=export["download_url"]: httpx.get(url, timeout=60), "download"
        ).content
        assert hashlib.sha256(content).hexdigest() == export["artifact_sha256"]
        guide.exports[format] = export
    guide.is_done = True


def _upload(client: Patient, job_id: str, video: Path) -> None:
    content = video.read_bytes()
    about = {"filename": video.name, "size_bytes": len(content), "mime_type": "video/mp4"}
    ticket = client.post(f"/jobs/{job_id}/upload", about)

    def put() -> httpx.Response:
        return httpx.put(ticket["upload_url"], content=content, headers=ticket["headers"], timeout=60)

    client.again(put, "PUT upload_url")
    client.post(f"/jobs/{job_id}/confirm-upload", {"video_uri": ticket["video_uri"]})


def _cancel(client: Patient, guide: Guide) -> None:
    try:
        client.post(f"/jobs/{guide.job_id}/cancel")
    except ApiFailed as error:  # the answer to the first cancel was lost
        assert "FSM_TERMINAL_IMMUTABLE" in str(error)
    guide.is_cancelled = True


def _save(client: Patient, job: Json, guide: Guide, number: int) -> Json:
    """Save the document three times; an answer that was lost shows as a conflict with our own text."""
    path = f"/instructions/{job['instruction_id']}"
    document: Json = client.get(path)
    for save in range(3):
        text = document["markdown"].rstrip("\n") + f"\n\nA remark, number {number}.{save}.\n"
        try:
            document = client.call("PUT", path, {"base_version": document["version"], "markdown": text})
        except ApiFailed as error:
            assert "VERSION_CONFLICT" in str(error)
            document = client.get(path)
            assert f"A remark, number {number}.{save}." in document["markdown"]
    guide.versions = document["version"]
    return document


def _annotate(client: Patient, task: Json) -> None:
    operations = [
        {"op_type": "blur", "geometry": {"x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2}},
        {"op_type": "arrow", "geometry": {"from": {"x": 0.6, "y": 0.4}, "to": {"x": 0.8, "y": 0.2}}},
    ]
    body = {"base_asset_id": task["asset_id"], "operations": operations}
    client.post(f"/anchors/{task['anchor_id']}/annotations", body)
