"""A client of the HTTP API, as a customer would write one: used by the demo and by the end-to-end tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

Json = dict[str, Any]


class ApiFailed(Exception):
    """The API answered an error, or work failed; says which and why."""


class Client:
    def __init__(self, base_url: str, token: str) -> None:
        self.http = httpx.Client(
            base_url=f"{base_url}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            follow_redirects=True,  # a picture may lie elsewhere, which httpx sends no token to
        )

    def call(self, method: str, path: str, json: Any = None, **options: Any) -> Any:
        """Return what the API answers, after as long as it asks to wait; raises ApiFailed."""
        deadline = time.monotonic() + 300
        while True:
            response = self.http.request(method, path, json=json, **options)
            if "Retry-After" not in response.headers or not response.is_error or time.monotonic() > deadline:
                break
            time.sleep(float(response.headers["Retry-After"]))
        if response.is_error:
            raise ApiFailed(f"{method} {path}: {response.status_code} {response.text}")
        return (
            response.json()
            if response.headers.get("Content-Type", "").startswith("application/json")
            else response
        )

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, json: Any = None) -> Any:
        return self.call("POST", path, json)

    def wait(
        self, path: str, done: set[str], *, seconds: float = 300, seen: Callable[[Json], None] | None = None
    ) -> Json:
        """Poll a resource until its status is one of `done`; raises ApiFailed on FAILED or after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            resource: Json = self.get(path)
            if seen:
                seen(resource)
            if resource["status"] in done:
                return resource
            if resource["status"] in {"FAILED", "CANCELLED"}:
                raise ApiFailed(f"{path} is {resource['status']}: {resource}")
            if time.monotonic() > deadline:
                raise ApiFailed(f"{path} is still {resource['status']} after {seconds:.0f} s")
            time.sleep(0.1)

    def new_job(self, name: str, **options: Any) -> Json:
        project = self.post("/projects", {"name": name})
        job: Json = self.post(f"/projects/{project['id']}/jobs", {"options": options})
        return job

    def upload(self, job_id: str, video: Path) -> Json:
        """Ticket, PUT, confirm; answers the job."""
        about = {"filename": video.name, "size_bytes": video.stat().st_size, "mime_type": "video/mp4"}
        ticket = self.post(f"/jobs/{job_id}/upload", about)
        with video.open("rb") as body:
            put = httpx.put(
                ticket["upload_url"],
                content=body,
                headers={**ticket["headers"], "Content-Length": str(about["size_bytes"])},
                timeout=300,
            )
        if put.is_error:
            raise ApiFailed(f"PUT upload_url: {put.status_code} {put.text}")
        confirmed = self.post(f"/jobs/{job_id}/confirm-upload", {"video_uri": ticket["video_uri"]})
        job: Json = confirmed["job"]
        return job

    def steps(self, document: Json) -> list[Json]:
        """The steps of this version of the document, with their times and pictures."""
        steps: list[Json] = self.get(f"/instructions/{document['id']}/steps?version={document['version']}")
        return steps

    def edit(self, document: Json, operations: list[Json]) -> Json:
        """Change steps of the newest version, all or nothing; answers the next version."""
        body = {"base_version": document["version"], "operations": operations}
        edited: Json = self.post(f"/instructions/{document['id']}/edits", body)
        return edited

    def diff(self, before: Json, after: Json) -> Json:
        query = f"from={before['version']}&to={after['version']}"
        compared: Json = self.get(f"/instructions/{before['id']}/diff?{query}")
        return compared

    def restore(self, document: Json, version: int) -> Json:
        """Take an older version back; answers it as the next one."""
        body = {"version": version, "base_version": document["version"]}
        restored: Json = self.post(f"/instructions/{document['id']}/restore", body)
        return restored

    def extract(self, job: Json, version_id: str, **where: Any) -> Json:
        """Ask for a picture and wait for it; answers the finished task."""
        body = {"instruction_id": job["instruction_id"], "instruction_version_id": version_id, **where}
        task = self.post(f"/jobs/{job['id']}/screenshots/extract", body)
        return self.wait(f"/screenshot-tasks/{task['task_id']}", {"SUCCEEDED"})

    def auto(self, job: Json, version_id: str) -> list[Json]:
        """Have each step of a version without a picture get one, and wait for all; answers the finished tasks."""
        tasks = self.post(f"/jobs/{job['id']}/screenshots/auto", {"instruction_version_id": version_id})
        return [self.wait(f"/screenshot-tasks/{task['task_id']}", {"SUCCEEDED"}) for task in tasks]

    def replace(self, anchor_id: str, version_id: str, **when: Any) -> Json:
        """Ask for another picture of an anchor and wait for it; answers the finished task."""
        task = self.post(f"/anchors/{anchor_id}/replace", {"instruction_version_id": version_id, **when})
        return self.wait(f"/screenshot-tasks/{task['task_id']}", {"SUCCEEDED"})

    def picture(self, asset_id: str) -> bytes:
        content: bytes = self.get(f"/assets/{asset_id}/content").content
        return content

    def export(self, job_id: str, version_id: str, format: str) -> Json:
        export = self.post(
            f"/jobs/{job_id}/exports", {"format": format, "instruction_version_id": version_id}
        )
        return self.wait(f"/exports/{export['id']}", {"SUCCEEDED"})

    def download(self, export: Json) -> bytes:
        response = httpx.get(export["download_url"], timeout=60)
        response.raise_for_status()
        return response.content
