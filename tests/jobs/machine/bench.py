"""What the machine of `test_machine` stands on: one owner's calls, each held against the model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant
from uuid6 import uuid7

from jobs.models import Artifact, AuditEvent, Dispatch
from jobs.models import Job as Row
from tests.callbacks import FAILURE, SECRET, post
from tests.factories import Api, make_user
from tests.jobs.machine.model import Dispatch as Sent
from tests.jobs.machine.model import Job, Refused
from tests.orchestrator import Asked, Orchestrator

picks = st.integers(0, 2)  # a job, by its place among those there are
LIMIT = 2  # active jobs an owner
PROFILES = ("extractive", "another")


def draft(text: str) -> dict[str, Any]:
    return {"markdown": f"# Guide\n\n## Step 1: {text}\n\nClick.\n"}


def transcript(text: str, end_ms: int = 900) -> dict[str, Any]:
    starts = (500, 0, 500)
    segments = [{"start_ms": at, "end_ms": end_ms, "text": f"{text} {n}"} for n, at in enumerate(starts)]
    return {"language": "en", "segments": segments}


class Bench(RuleBasedStateMachine):
    """Two projects of one owner with a few jobs, an HTTP orchestrator, and a stranger who sees none of it."""

    def __init__(self, orchestrator: Orchestrator, video: bytes, seen: Counter[str]) -> None:
        super().__init__()
        self.orchestrator, self.video, self.seen = orchestrator, video, seen
        self.owner, self.stranger = Api(make_user(f"owner-{uuid7()}")), Api(make_user(f"stranger-{uuid7()}"))
        self.projects: list[str] = []
        self.empty_projects: list[str] = []
        self.project_keys: dict[str, tuple[str, Any]] = {}
        self.jobs: list[Job] = []
        self.touched: Job | None = None
        self.etags: dict[str, tuple[str, Any]] = {}
        self.reports: dict[str, list[dict[str, Any]]] = {}  # of a job: every callback that was sent
        self.executions: set[str] = set()
        self.events, self.start = 0, datetime.now(UTC) - timedelta(hours=1)
        orchestrator.asked.clear()

    def teardown(self) -> None:
        """Each job as the list shows it, and nothing left for the next example's recovery."""
        alive = [job for job in self.jobs if not job.is_deleted]
        for job, body in zip(reversed(alive), self.walk(self.owner, "/jobs?limit=2"), strict=True):
            self.is_shown(job, body)
        Dispatch.objects.filter(status__in=Dispatch.OPEN).update(status="CLOSED")

    # What every step is checked by

    def expect(self, name: str, answer: Any, predict: Callable[[], Any]) -> Any:
        """Hold a refusal against the model's; what the model answers when it does not refuse, else None."""
        try:
            result = predict()
        except Refused as refused:
            self.seen[f"{name} {refused.code}"] += 1
            body = answer.json() if answer.content else {}
            assert (answer.status_code, body.get("code")) == (refused.status, refused.code), answer.content
            for key, value in refused.details.items():
                found = body["details"][key]
                assert (set(found) if isinstance(value, set) else found) == value, (key, body)
            return None
        self.seen[f"{name} {answer.status_code}"] += 1
        return (result,)

    def pick(self, number: int) -> Job:
        self.touched = self.jobs[number % len(self.jobs)]
        return self.touched

    def is_shown(self, job: Job, body: dict[str, Any]) -> None:
        job.learn(body["manifest"])
        assert {key: body[key] for key in job.shown()} == job.shown()
        assert (body["instruction_id"] is not None) == job.has_instruction

    @invariant()
    def what_is_read_is_what_the_model_says(self) -> None:
        if self.touched:
            self.look(self.touched)
        self.touched = None
        alive = [job for job in self.jobs if not job.is_deleted]
        rows = Row.objects.filter(owner=self.owner.user).values_list("id", "status", "manifest", "failure")
        assert {
            str(key): (status, {"exports": [], **manifest}, failure)
            for key, status, manifest, failure in rows
        } == {job.id: (job.status, job.manifest, job.failure) for job in alive}
        ids = [job.id for job in alive]
        is_open = Dispatch.objects.filter(job__in=ids, status__in=Dispatch.OPEN)
        assert sorted(map(str, is_open.values_list("pk", flat=True))) == sorted(
            job.dispatch.id for job in alive if job.dispatch and job.dispatch.is_open
        )
        artifacts = Artifact.objects.filter(job__in=ids).values_list("job_id", "kind", "version")
        assert sorted(
            (str(job), kind.removeprefix("other:"), version) for job, kind, version in artifacts
        ) == sorted(
            (job.id, kind, number)
            for job in alive
            for kind, last in job.versions.items()
            for number in range(1, last + 1)
        )
        events = AuditEvent.objects.filter(job__in=ids).exclude(new_status="").order_by("id")
        found: dict[str, list[Any]] = {job.id: [] for job in alive}
        for job_id, before, after, actor in events.values_list(
            "job_id", "prev_status", "new_status", "actor_type"
        ):
            found[str(job_id)].append((before or None, after, actor))
        assert found == {job.id: job.history for job in alive}
        assert self.orchestrator.executions == self.executions

    def look(self, job: Job) -> None:
        """The job by its ETag: 304 as long as nothing has happened to it."""
        path = f"/jobs/{job.id}"
        if job.is_deleted:
            assert self.owner.get(path).status_code == self.owner.get(f"{path}/events").status_code == 404
            return
        etag, before = self.etags.get(job.id, ("", None))
        answer = self.owner.get(path, if_none_match=etag or '"none"')
        if answer.status_code == 304:
            assert before == job.seen(), "a 304 though the job has changed"
            return
        assert answer.status_code == 200 and answer.headers["ETag"] != etag
        self.is_shown(job, answer.json())
        assert before != job.seen(), "another ETag though nothing has happened"
        self.etags[job.id] = (answer.headers["ETag"], job.seen())

    def active_beside(self, it: Job) -> int:
        return sum(job.is_active for job in self.jobs if job is not it)

    def dispatch(
        self,
        it: Job,
        name: str,
        call: Callable[[], Any],
        begin: Callable[[], tuple[Sent, bool]],
        how: str,
        reported: str,
    ) -> None:
        """One run or retry, whatever becomes of the orchestrator's answer, held against the model."""
        payload, first = self.payload(it, reported), []

        def report_first(asked: Asked) -> None:  # and then the connection breaks
            first.append(self.send(it, payload, asked.body["dispatch_id"]))
            connection.close()

        before = len(self.orchestrator.dispatches)
        self.orchestrator.answers = [{"taken": 200, "refused": 503, "lost": None}.get(how, report_first)]
        answer = call()
        sent = [asked.body["dispatch_id"] for asked in self.orchestrator.dispatches[before:]]
        self.orchestrator.answers.clear()
        result = self.expect(name, answer, begin)
        if result is None:
            assert sent == []
            return
        dispatch, is_replay = result[0]
        assert len(sent) == (0 if is_replay else 1)
        if sent:
            dispatch.id = dispatch.id or sent[0]
            assert sent == [dispatch.id], "sent again under another id"
            self.executions.add(dispatch.id)
        if sent and how in ("refused", "lost"):
            # What was sent once without an answer may have begun: a refusal now says nothing of then.
            dispatch.is_open = how == "lost" or dispatch.lost > 0
            dispatch.lost += dispatch.is_open
            assert (answer.status_code, answer.json()["code"]) == (502, "ORCHESTRATOR_DISPATCH_FAILED")
            return
        if sent:
            it.accept(dispatch)
        if sent and first:
            self.reported(it, payload, dispatch.id, first[0])
        shown = {"job_id": it.id, "status": it.status, "dispatch_id": dispatch.id, "replayed": is_replay}
        if name == "retry":
            shown |= {
                "resume_from_status": dispatch.resume,
                "checkpoint_ref": dispatch.checkpoint,
                "model_profile": dispatch.model_profile,
            }
        assert (answer.status_code, answer.json()) == (200 if is_replay else 202, shown)

    # The callback

    def payload(self, it: Job, status: str, after: int = 1_000_000, **changed: Any) -> dict[str, Any]:
        """A report so many microseconds after the latest one that was applied."""
        self.events += 1
        payload = {
            "event_id": f"e-{self.events}",
            "status": status,
            "occurred_at": ((it.latest or self.start) + timedelta(microseconds=after)).isoformat(),
            "correlation_id": f"c-{self.events}",
            **(FAILURE if status == "FAILED" else {}),
            **changed,
        }
        self.reports.setdefault(it.id, []).append(payload)
        return payload

    def send(self, it: Job, payload: dict[str, Any], dispatch_id: str | None, secret: str = SECRET) -> Any:
        return post(it.id, payload, secret=secret, dispatch_id=dispatch_id)

    def reported(self, it: Job, payload: dict[str, Any], dispatch_id: str | None, answer: Any) -> None:
        result = self.expect(
            f"callback {payload['status']}",
            answer,
            lambda: it.callback(payload, dispatch_id, datetime.now(UTC)),
        )
        if result and result[0]:
            latest = datetime.fromisoformat(answer.json().pop("latest_applied_occurred_at"))
            assert (answer.status_code, latest) == (200, it.latest)
            assert result[0].items() <= answer.json().items()
        elif result:
            assert answer.status_code == 204, answer.content

    def report(self, it: Job, payload: dict[str, Any], dispatch_id: str | None) -> None:
        self.reported(it, payload, dispatch_id, self.send(it, payload, dispatch_id))

    def dispatch_ids(self, it: Job) -> list[str | None]:
        """None, the current one most often, those before it, and ids that no execution of this job has."""
        every = [it.run, *it.retries.values()]
        known = [dispatch.id for dispatch in every if dispatch and dispatch.id]
        current = it.dispatch.id if it.dispatch else None
        return [current, current, current, None, *known, str(uuid7()), "odd"]

    def updates(self, it: Job, status: str, number: int) -> dict[str, Any]:
        """What a well-behaved orchestrator sends with a status: a new value, or the one before again."""
        if status == "AUDIO_READY":
            return {"audio_uri": f"gs://sound/{number % 2}"}
        if status == "TRANSCRIPT_READY":
            return {"transcript": transcript(f"said {number % 2}")}
        if status == "DRAFT_READY":
            return {"draft": draft(f"do {number % 2}")}
        return {}

    # Reading

    def walk(self, api: Api, path: str) -> list[dict[str, Any]]:
        """A whole list by its Link headers."""
        found: list[dict[str, Any]] = []
        while path:
            answer = api.get(path)
            assert answer.status_code == 200
            found += answer.json()
            link = re.search(rf'<{settings.PUBLIC_URL}(.+)>; rel="next"', answer.headers.get("Link", ""))
            path = link.group(1) if link else ""
        return found
