"""Runs and retries, with an orchestrator that answers, refuses or falls silent."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from jobs.models import Dispatch
from tests.elapsed import let_time_pass
from tests.factories import work_off
from tests.jobs.machine.bench import LIMIT, PROFILES, Bench, picks

answers = st.sampled_from(["taken", "taken", "taken", "refused", "lost", "reported first"])


class ExecutionRules(Bench):
    """How executions begin, and what is recovered."""

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
