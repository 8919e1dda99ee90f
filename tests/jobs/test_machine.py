"""The API and the callback, driven at random beside a model of the contract: each call answers what it says."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test
from rest_framework import serializers
from uuid6 import uuid7

from config.api.serializers import _reader
from config.storage import kept_folder, storage
from jobs.api.serializers import RetryBody
from jobs.models import Dispatch
from tests.factories import work_off
from tests.jobs.machine import LIMIT, PROFILES, Bench, draft, transcript
from tests.jobs.machine_model import FAILURE_FIELDS, ROAD, TERMINAL, Job
from tests.jobs.recordings import make_video
from tests.jobs.test_callback import SECRET
from tests.jobs.test_dispatch import let_time_pass
from tests.orchestrator import Orchestrator

FOLLOWING = dict(zip(("UPLOADED", *ROAD), ROAD, strict=False))
picks = st.integers(0, 2)
answers = st.sampled_from(["taken", "taken", "taken", "refused", "lost", "reported first"])


class JobsMachine(Bench):
    """Two projects of one owner with a few jobs, an HTTP orchestrator, and a stranger who sees none of it."""

    # Projects and jobs

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
        options = {"language": language, "auto_screenshots": False}
        project_id = self.projects[project]
        known = [
            j for j in self.jobs if key and (j.project_id, j.key) == (project_id, key) and not j.is_deleted
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

    # Executions

    @rule(job=picks, answer=answers, reported=st.sampled_from(["AUDIO_EXTRACTING", "FAILED", "GENERATING"]))
    def run(self, job: int, answer: str, reported: str) -> None:
        it = self.pick(job)
        self.dispatch(
            it,
            "run",
            lambda: self.owner.post(f"/jobs/{it.id}/run"),
            lambda: it.begin_run(active=self.active_beside(it), limit=LIMIT),
            answer,
            reported,
        )

    @rule(
        job=picks,
        request_id=st.sampled_from(["r-1", "r-2"]),
        profile=st.sampled_from([*PROFILES[:1] * 3, PROFILES[1]]),
        answer=answers,
        reported=st.sampled_from(["TRANSCRIBING", "GENERATING", "FAILED", "CREATED"]),
    )
    def retry(self, job: int, request_id: str, profile: str, answer: str, reported: str) -> None:
        it = self.pick(job)
        body = {"client_request_id": request_id, "model_profile": profile}
        self.dispatch(
            it,
            "retry",
            lambda: self.owner.post(f"/jobs/{it.id}/retry", body),
            lambda: it.begin_retry(request_id, profile, active=self.active_beside(it), limit=LIMIT),
            answer,
            reported,
        )

    @rule(how=st.sampled_from(["taken", "taken", "refused", "lost"]))
    def recover(self, how: str) -> None:
        """Time passes: what waits for an answer is sent again, under its id, and nothing else is."""
        waiting = {
            job.dispatch.id: job
            for job in self.jobs
            if job.dispatch and job.dispatch.is_open and not job.dispatch.is_accepted and not job.is_deleted
        }
        before = len(self.orchestrator.dispatches)
        self.orchestrator.answers = [{"taken": 200, "refused": 503, "lost": None}[how]] * len(waiting)
        let_time_pass()
        work_off()
        sent = {asked.body["dispatch_id"] for asked in self.orchestrator.dispatches[before:]}
        self.orchestrator.answers.clear()
        assert len(self.orchestrator.dispatches) - before == len(sent)
        for dispatch_id, job in waiting.items():
            dispatch = job.dispatch
            assert dispatch is not None
            if how == "taken" and dispatch_id in sent:
                job.accept(dispatch)
            else:
                dispatch.lost += 1
                # When it gives up is its own affair, but not before three tries.
                dispatch.is_open = dispatch.lost < 4 or bool(
                    Dispatch.objects.filter(pk=dispatch_id, status__in=Dispatch.OPEN)
                )
                assert dispatch_id in sent or not dispatch.is_open
        assert sent <= set(waiting)

    # The callback

    @rule(job=picks, steps=st.integers(1, 6), number=st.integers(0, 3))
    def bring_up(self, job: int, steps: int = 1, number: int = 0) -> None:
        """On along the road, in order: upload, confirm, run, or the next reports."""
        it = self.pick(job)
        for _ in range(steps):
            if it.is_deleted or it.status in TERMINAL or it.status in ("DRAFT_READY", "EDITING"):
                return
            if it.status in ("CREATED", "UPLOADING"):
                self.upload(job, arrives=True)
                self.confirm(it, list(it.tickets)[-1])
            elif it.status == "UPLOADED" and steps > 1:
                self.run(job, "taken", "FAILED")
            if it.status in ROAD[:-1]:
                following = ROAD[ROAD.index(it.status) + 1]
                updates = self.updates(it, following, number)
                payload = self.payload(it, following, artifact_updates=updates)
                self.report(it, payload, it.dispatch.id if it.dispatch else None)
            self.look(it)

    @rule(
        job=picks,
        status=st.sampled_from(
            ["next"] * 6 + ["FAILED"] * 3 + [*ROAD, "CREATED", "UPLOADED", "EDITING", "DONE"]
        ),
        after=st.sampled_from([1_000_000, 1_000_000, 1, 0, -1, -1_000_000]),
        dispatch=st.integers(0, 9),
        number=st.integers(0, 3),
        actor=st.sampled_from(["orchestrator", "system"]),
        with_content=st.booleans(),
    )
    def report_anything(
        self, job: int, status: str, after: int, dispatch: int, number: int, actor: str, with_content: bool
    ) -> None:
        it = self.pick(job)
        status = FOLLOWING.get(it.status, "FAILED") if status == "next" else status
        updates = self.updates(it, status, number) if with_content else {}
        payload = self.payload(it, status, after, artifact_updates=updates, actor_type=actor)
        ids = self.dispatch_ids(it)
        self.report(it, payload, ids[dispatch % len(ids)])

    @rule(job=picks, after=st.sampled_from([-1_000_000, -1, 0, 1]))
    def report_beside_the_latest(self, job: int, after: int) -> None:
        it = self.pick(job)
        payload = self.payload(it, FOLLOWING.get(it.status, "FAILED"), after)
        self.report(it, payload, it.dispatch.id if it.dispatch else None)

    @rule(job=picks, which=st.integers(0, 30), changed=st.booleans(), dispatch=st.integers(0, 9))
    def report_again(self, job: int, which: int, changed: bool, dispatch: int) -> None:
        """An event that was sent before, applied or refused: as it was, or with another payload."""
        it = self.pick(job)
        if sent := self.reports.get(it.id):
            payload = sent[-1 - which % len(sent)]
            payload = {**payload, "correlation_id": "another"} if changed else payload
            ids = self.dispatch_ids(it)
            self.report(it, payload, ids[dispatch % len(ids)])

    @rule(
        job=picks,
        other=picks,
        kind=st.sampled_from(["transcript", "draft"]),
        which=st.sampled_from(["own", "own", "foreign", "missing", "elsewhere", "inline", "bad", "metrics", "export",
                               "same video", "other video"]),
    )  # fmt: skip
    def report_content(self, job: int, other: int, kind: str, which: str) -> None:
        """The next status of the road with content of every origin."""
        theirs, it = self.jobs[other % len(self.jobs)], self.pick(job)
        content = transcript("filed") if kind == "transcript" else draft("filed")
        updates: dict[str, Any]
        if which in ("own", "foreign"):
            place = it if which == "own" else theirs
            uri = storage().save_bytes(kept_folder(place.id), json.dumps(content).encode(), suffix="").uri
            place.files[uri] = content
            updates = {f"{kind}_uri": uri}
        else:
            updates = {
                "missing": {f"{kind}_uri": f"local://jobs/{it.id}/ab/missing"},
                "elsewhere": {f"{kind}_uri": f"gs://elsewhere/{kind}"},
                "inline": {kind: transcript("early") if kind == "transcript" else draft("early")},
                "bad": {"transcript": transcript("bad", end_ms=1)},
                "metrics": {"metrics": {"took_ms": self.events}, "odd": self.events % 2},
                "export": {"export_uri": f"gs://exports/{self.events}"},
                "same video": {"video_uri": it.manifest.get("video_uri", "gs://a/b")},
                "other video": {"video_uri": "gs://a/other"},
            }[which]
        payload = self.payload(it, FOLLOWING.get(it.status, "FAILED"), artifact_updates=updates)
        self.report(it, payload, it.dispatch.id if it.dispatch else None)

    @rule(job=picks, what=st.sampled_from(["late", "unsigned", *FAILURE_FIELDS]))
    def report_badly(self, job: int, what: str) -> None:
        it = self.pick(job)
        payload = self.payload(it, "FAILED")
        if what == "late":
            payload["occurred_at"] = (datetime.now(UTC) + timedelta(minutes=6)).isoformat()
        elif what == "unsigned":
            answer = self.send(it, payload, None, secret="wrong")
            assert (answer.status_code, answer.json()["code"]) == (401, "CALLBACK_UNAUTHENTICATED")
            return
        else:
            del payload[what]
        self.report(it, payload, None)

    # Reading

    @rule(
        limit=st.integers(1, 3),
        statuses=st.sets(st.sampled_from(["CREATED", "UPLOADED", "FAILED", "TRANSCRIBING", "CANCELLED"]), max_size=2),
        project=st.sampled_from([None, 0, 1]),
        border=st.none() | st.tuples(st.sampled_from(["created_after", "created_before"]), picks),
    )  # fmt: skip
    def walk_the_lists(self, limit: int, statuses: set[str], project: int | None, border: Any) -> None:
        alive = [job for job in self.jobs if not job.is_deleted]
        query, expected = f"?limit={limit}" + "".join(f"&status={one}" for one in sorted(statuses)), alive
        if border and alive:
            at = border[1] % len(alive)
            query += f"&{border[0]}={self.owner.get(f'/jobs/{alive[at].id}').json()['created_at']}"
            expected = alive[at + 1 :] if border[0] == "created_after" else alive[:at]
        expected = [job for job in expected if not statuses or job.status in statuses]
        path = "/jobs"
        if project is not None:
            path = f"/projects/{self.projects[project]}/jobs"
            expected = [job for job in expected if job.project_id == self.projects[project]]
        found = self.walk(self.owner, path + query)
        for job, body in zip(reversed(expected), found, strict=True):
            self.is_shown(job, body)
        projects = [*self.projects, *self.empty_projects]
        assert [one["id"] for one in self.walk(self.owner, f"/projects?limit={limit}")] == projects[::-1]

    @rule(job=picks, limit=st.integers(1, 3))
    def read_transcript(self, job: int, limit: int) -> None:
        it = self.pick(job)
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            query = f"?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
            answer = self.owner.get(f"/jobs/{it.id}/transcript{query}")
            expected = self.expect("transcript", answer, it.transcript)
            if expected is None:
                return
            assert answer.status_code == 200 and len(answer.json()["items"]) <= limit
            found, cursor = found + answer.json()["items"], answer.json()["next_cursor"]
        assert found == expected[0]

    @rule(job=picks, limit=st.integers(1, 3))
    def read_events_in_pages(self, job: int, limit: int) -> None:
        it = self.pick(job)
        if not it.is_deleted:
            events = self.walk(self.owner, f"/jobs/{it.id}/events?limit={limit}")
            changes = [one for one in events if "new_status" in one]  # an edit is told too
            found = [(one.get("prev_status"), one["new_status"], one["actor_type"]) for one in changes]
            assert found == it.history

    @rule(job=picks, call=st.sampled_from(
        ["GET ", "GET /events", "GET /transcript", "POST /run", "POST /cancel", "DELETE ", "POST /retry",
         "POST /upload", "POST /confirm-upload"]
    ))  # fmt: skip
    def a_stranger_sees_nothing(self, job: int, call: str) -> None:
        it, (method, suffix) = self.pick(job), call.split(" ")
        body = {
            "/retry": {"client_request_id": "r-1", "model_profile": PROFILES[0]},
            "/upload": {"filename": "a.mp4", "size_bytes": 1, "mime_type": "video/mp4"},
            "/confirm-upload": {"video_uri": it.manifest.get("video_uri", "x")},
        }.get(suffix)
        answer = self.stranger.call(method, f"/jobs/{it.id}{suffix}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "RESOURCE_NOT_FOUND")
        assert self.stranger.get("/jobs").json() == self.stranger.get("/projects").json() == []
        assert self.stranger.get(f"/projects/{it.project_id}/jobs").status_code == 404


@pytest.fixture
def no_log() -> Iterator[None]:
    """Pytest would keep every line of a long run."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def machine(
    orchestrator: Orchestrator, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_log: None
) -> Iterator[Callable[[], JobsMachine]]:
    settings.CALLBACK_SECRETS, settings.THROTTLE_RATE = [SECRET], None
    settings.ACTIVE_JOBS_PER_OWNER = LIMIT
    monkeypatch.setitem(RetryBody._declared_fields, "model_profile", serializers.ChoiceField(PROFILES))
    _reader.cache_clear()
    video = make_video(tmp_path / "a.mp4", seconds=0.5).read_bytes()
    seen: Counter[str] = Counter()
    make: Any = lambda: JobsMachine(orchestrator, video, seen)  # noqa: E731
    make.seen = seen
    yield make
    _reader.cache_clear()


def drive(machine: Any, *, examples: int, derandomize: bool) -> None:
    """So many examples of up to 50 steps."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            deadline=None,
            database=None,
            derandomize=derandomize,
            phases=[Phase.generate, Phase.shrink],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(600)  # when it fails, the sequence of calls is made short first
@pytest.mark.django_db(transaction=True)
def test_the_api_answers_what_the_model_of_the_contract_says(machine: Any) -> None:
    drive(machine, examples=40, derandomize=True)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.django_db(transaction=True)
def test_the_api_answers_what_the_model_says_for_a_long_time(machine: Any) -> None:
    drive(machine, examples=100, derandomize=False)
