"""The local pipeline: which stages are performed, and what is reported of each."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now

from config.work.lease import Lease
from jobs import hooks
from jobs.models import Job, PipelineRun
from tests.elapsed import make_due
from tests.factories import DRAFT, TRANSCRIPT, make_run, work_off


def test_a_stage_that_is_done_is_not_done_again(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    performed = []
    for name, updates in (
        ("AUDIO_EXTRACTING", {"audio_uri": "gs://x/y"}),
        ("TRANSCRIBING", {"transcript": {"language": "en", "recogniser": "t", "segments": []}}),
        ("GENERATING", {"draft": {"markdown": "# A\n"}}),
    ):

        def stage(job: Job, held: Lease, name: str = name, updates: Any = updates) -> dict[str, Any]:
            performed.append(name)
            if name == "TRANSCRIBING" and performed.count(name) == 1:
                raise RuntimeError("the first time it breaks")
            return dict(updates)

        monkeypatch.setitem(hooks.STAGES, name, stage)
    row = make_run()
    work_off()
    PipelineRun.objects.filter(pk=row.pk).update(available_at=Now())
    work_off()
    assert performed == ["AUDIO_EXTRACTING", "TRANSCRIBING", "TRANSCRIBING", "GENERATING"]
    assert Job.objects.get(pk=row.job_id).status == "DRAFT_READY"
    assert PipelineRun.objects.get(pk=row.pk).status == "SUCCEEDED"


def test_the_progress_of_a_run_begins_anew_with_each_stage(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []
    for name, updates in (
        ("AUDIO_EXTRACTING", {"audio_uri": "gs://x/y"}),
        ("TRANSCRIBING", {"transcript": TRANSCRIPT}),
        ("GENERATING", {"draft": DRAFT}),
    ):

        def stage(job: Job, held: Lease, updates: Any = updates) -> dict[str, Any]:
            begun.append(held.progress_pct)
            held.report(0.7)
            return dict(updates)

        monkeypatch.setitem(hooks.STAGES, name, stage)
    make_run()
    work_off()
    assert begun == [0, 0, 0]


def test_a_first_stage_that_is_tried_again_is_reported_again(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def stage(job: Job, held: Lease) -> dict[str, Any]:
        tries.append(job.status)
        if len(tries) == 1:
            raise RuntimeError("the first time it breaks")
        return {"audio_uri": "gs://x/y"}

    monkeypatch.setitem(hooks.STAGES, "AUDIO_EXTRACTING", stage)
    monkeypatch.setitem(hooks.STAGES, "TRANSCRIBING", lambda job, held: {"transcript": TRANSCRIPT})
    monkeypatch.setitem(hooks.STAGES, "GENERATING", lambda job, held: {"draft": DRAFT})
    row = make_run()
    before = row.job.events.count()
    work_off()
    assert row.job.events.count() == before, "`run` itself has begun the first stage"
    make_due()
    work_off()
    changes = list(row.job.events.order_by("id").values_list("prev_status", "new_status"))[before:]
    assert changes[:2] == [("AUDIO_EXTRACTING", "AUDIO_EXTRACTING"), ("AUDIO_EXTRACTING", "AUDIO_READY")]
    assert len(changes) == 6
