"""A cancel reaches what our own workers do at this moment."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection

from config.work.lease import Lease, LeaseLost
from jobs import hooks
from jobs.models import Job
from jobs.states import JobStatus
from tests.factories import Api, make_job, make_user, work_off


@pytest.mark.django_db(transaction=True)
def test_a_running_stage_ends_within_5_s_and_reports_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    began, ended = threading.Event(), list[Any]()

    def stage(job: Job, lease: Lease) -> dict[str, Any]:
        """As the real ones do: some work, then a word about it, over and over."""
        began.set()
        try:
            for step in range(600):
                time.sleep(0.05)
                lease.report(step / 600)
        except LeaseLost:
            ended.append(time.monotonic())
            raise
        return {"audio_uri": "gs://never/used"}

    monkeypatch.setitem(hooks.STAGES, "AUDIO_EXTRACTING", stage)
    api = Api(make_user())
    job = make_job(JobStatus.UPLOADED, owner=api.user)
    assert api.post(f"/jobs/{job.pk}/run").status_code == 202

    def worker() -> None:
        work_off()
        connection.close()

    thread = threading.Thread(target=worker)
    thread.start()
    assert began.wait(10)
    answer = api.post(f"/jobs/{job.pk}/cancel")
    cancelled = time.monotonic()
    assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")
    thread.join(20)
    assert ended and ended[0] - cancelled < 5
    now = Job.objects.get(pk=job.pk)
    assert (now.status, now.dispatch.failure_code) == ("CANCELLED", "JOB_CANCELLED")
    assert now.events.latest("id").event_type == "JOB_CANCELLED"
    assert not now.artifacts.filter(kind="audio").exists()
