"""What an orchestrator reports: on the road, out of order, again, badly, with content of every origin."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from config.storage import kept_folder, storage
from tests.contract import ROAD, TERMINAL
from tests.jobs.machine.bench import Bench, draft, picks, transcript
from tests.jobs.machine.model import FAILURE_FIELDS

FOLLOWING = dict(zip(("UPLOADED", *ROAD), ROAD, strict=False))


class CallbackRules(Bench):
    """What an orchestrator reports."""

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
        which=st.sampled_from(
            [
                "own",
                "own",
                "foreign",
                "missing",
                "elsewhere",
                "inline",
                "bad",
                "metrics",
                "export",
                "same video",
                "other video",
            ]
        ),
    )
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
