"""What is read: lists, transcript, events, and by a stranger nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.jobs.machine.bench import PROFILES, Bench, picks


class ReadingRules(Bench):
    """What the owner reads, and a stranger does not."""

    @rule(
        limit=st.integers(1, 3),
        statuses=st.sets(
            st.sampled_from(["CREATED", "UPLOADED", "FAILED", "TRANSCRIBING", "CANCELLED"]), max_size=2
        ),
        project=st.sampled_from([None, 0, 1]),
        border=st.none() | st.tuples(st.sampled_from(["created_after", "created_before"]), picks),
    )
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

    @rule(
        job=picks,
        call=st.sampled_from(
            [
                "GET ",
                "GET /events",
                "GET /transcript",
                "POST /run",
                "POST /cancel",
                "DELETE ",
                "POST /retry",
                "POST /upload",
                "POST /confirm-upload",
            ]
        ),
    )
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
