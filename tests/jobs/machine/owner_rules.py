"""The owner's calls: projects, jobs, uploads, cancel, delete, and the write to the document."""

from __future__ import annotations

import re

from django.test import Client
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from uuid6 import uuid7

from tests.jobs.machine.bench import Bench, picks
from tests.jobs.machine.model import Job


class OwnerRules(Bench):
    """What an owner does."""

    @initialize(steps=st.integers(2, 7))
    def two_jobs(self, steps: int) -> None:
        self.projects = [self.owner.post("/projects", {"name": name}).json()["id"] for name in "ab"]
        for number in range(2):
            self.create_job(project=number, key=None, language="en")
        self.bring_up(0, steps)

    @rule(key=st.sampled_from([None, "k1", "k2"]), name=st.sampled_from(["x", "y"]))
    def create_project(self, key: str | None, name: str) -> None:
        """With jobs in none of them: they are there for their keys and for the list."""
        headers = {"idempotency_key": key} if key else {}
        answer = self.owner.post("/projects", {"name": name}, **headers)
        first_name, first = self.project_keys.get(key or "", (None, None))
        if first is None:
            assert answer.status_code == 201
            self.empty_projects.append(answer.json()["id"])
            if key:
                self.project_keys[key] = (name, answer.json())
        elif first_name == name:
            assert (answer.status_code, answer.json()) == (200, first)
            assert answer.headers["Idempotent-Replayed"] == "true"
        else:
            assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")

    @rule(
        project=st.integers(0, 1),
        key=st.sampled_from([None, "k1", "k2"]),
        language=st.sampled_from(["en", "de"]),
    )
    def create_job(self, project: int, key: str | None, language: str) -> None:
        options = {
            "language": language,
            "auto_screenshots": False,
            "auto_redact": False,
            "highlight_clicks": True,
        }
        project_id = self.projects[project]
        known = [
            it
            for it in self.jobs
            if key and (it.project_id, it.key) == (project_id, key) and not it.is_deleted
        ]
        if not known and len(self.jobs) >= 3:
            return
        headers = {"idempotency_key": key} if key else {}
        answer = self.owner.post(f"/projects/{project_id}/jobs", {"options": options}, **headers)
        if not known:
            assert answer.status_code == 201
            self.jobs.append(Job(answer.json()["id"], project_id, options, key))
            self.is_shown(self.pick(-1), answer.json())
        elif known[0].options == options:
            assert (answer.status_code, answer.headers["Idempotent-Replayed"]) == (200, "true")
            self.is_shown(Job(known[0].id, project_id, options), answer.json())  # the first answer, again
        else:
            assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")

    @rule(job=picks, arrives=st.booleans())
    def upload(self, job: int, arrives: bool) -> None:
        it = self.pick(job)
        body = {"filename": "a.mp4", "size_bytes": len(self.video), "mime_type": "video/mp4"}
        answer = self.owner.post(f"/jobs/{it.id}/upload", body)
        if self.expect("upload", answer, it.upload):
            assert answer.status_code == 201
            ticket = answer.json()
            assert ticket["video_uri"] not in it.tickets
            it.tickets[ticket["video_uri"]] = arrives
            if arrives:
                path = re.sub(r"^\w+://[^/]+", "", ticket["upload_url"])
                put = Client().generic("PUT", path, self.video, content_type="video/mp4")
                assert put.status_code == 204

    @rule(job=picks, other=picks, ticket=st.integers(0, 2))
    def confirm_upload(self, job: int, other: int, ticket: int) -> None:
        """One of its own tickets, one of another job, or a key that no ticket names."""
        theirs = [uri for uri in self.jobs[other % len(self.jobs)].tickets]
        it = self.pick(job)
        made_up = [f"local://{folder}/{it.id}/{uuid7()}" for folder in ("jobs", "uploads")]
        uris = [*it.tickets, *theirs, *made_up]
        self.confirm(it, uris[ticket % len(uris)])

    def confirm(self, it: Job, uri: str) -> None:
        answer = self.owner.post(f"/jobs/{it.id}/confirm-upload", {"video_uri": uri})
        if result := self.expect("confirm", answer, lambda: it.confirm(uri)):
            assert (answer.status_code, answer.json()["replayed"]) == (200, result[0])
            self.is_shown(it, answer.json()["job"])

    @rule(job=picks)
    def cancel(self, job: int) -> None:
        it = self.pick(job)
        answer = self.owner.post(f"/jobs/{it.id}/cancel")
        if self.expect("cancel", answer, it.cancel):
            assert answer.status_code == 200
            self.is_shown(it, answer.json())

    @rule(job=picks)
    def delete(self, job: int) -> None:
        it = self.pick(job)
        answer = self.owner.call("DELETE", f"/jobs/{it.id}")
        if self.expect("delete", answer, it.delete):
            assert answer.status_code == 202

    @precondition(lambda self: any(job.has_instruction and not job.is_deleted for job in self.jobs))
    @rule(job=picks)
    def edit(self, job: int) -> None:
        """The owner's write to the document, which ends the callbacks' part of the table."""
        drafted = [job for job in self.jobs if job.has_instruction and not job.is_deleted]
        it = self.touched = drafted[job % len(drafted)]
        path = f"/instructions/{self.owner.get(f'/jobs/{it.id}').json()['instruction_id']}"
        document = self.owner.get(path).json()
        body = {"base_version": document["version"], "markdown": document["markdown"] + "\nMore.\n"}
        answer = self.owner.put(path, body)
        if self.expect("edit", answer, it.edit):
            assert answer.status_code == 200
