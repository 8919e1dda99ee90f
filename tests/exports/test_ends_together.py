"""Exports of one job that run at the same time: the job ends once, whatever order they end in, and after a crash."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from anchors.models import Anchor
from config.storage import storage
from config.work.registry import KINDS
from config.work.sweep import sweep_work_rows
from exports.models import Export
from jobs.models import AuditEvent, Job
from tests.desk import Desk
from tests.elapsed import expire_leases, make_due
from tests.exports.asking import request_export
from tests.factories import Api, perform, work_off
from tests.jobs.seen import count_events, status_of
from tests.races import at_once

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

FORMATS = sorted(Export.Format.values)
REQUESTS = 24


@pytest.fixture
def desk(api: Api) -> Desk:
    return Desk(api)


def lose_picture(desk: Desk) -> None:
    task = desk.picture()
    storage().delete(desk.job.assets.get(pk=task["asset_id"]).uri)


def ask_for_all(desk: Desk) -> list[Export]:
    ids = [request_export(desk, format).json()["id"] for format in FORMATS]
    return list(Export.objects.filter(pk__in=ids).order_by("pk"))


def fail_together(exports: list[Export], monkeypatch: pytest.MonkeyPatch) -> None:
    """Perform each in a thread of its own; all have failed before the first failure is written down."""
    all_ready, kind = threading.Barrier(len(exports)), KINDS[Export]

    def wait_and_fail(*args: Any, **named: Any) -> None:
        all_ready.wait(60)
        kind.on_failure(*args, **named)

    monkeypatch.setitem(KINDS, Export, replace(kind, on_failure=wait_and_fail))
    at_once(len(exports), lambda index: perform(exports[index]))


def changes(desk: Desk) -> list[tuple[str, str]]:
    found = AuditEvent.objects.filter(job=desk.job, event_type__startswith="EXPORT").exclude(new_status="")
    return list(found.order_by("pk").values_list("prev_status", "new_status"))


def test_the_last_ones_that_fail_at_once_take_the_job_back_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_picture(desk)
    exports = ask_for_all(desk)
    fail_together(exports, monkeypatch)
    assert set(Export.objects.values_list("status", "failure_code")) == {("FAILED", "ASSET_MISSING")}
    assert (status_of(desk.job), count_events(desk.job, "EXPORT_FAILED")) == ("EDITING", len(FORMATS))
    assert changes(desk) == [("EDITING", "EXPORTING"), ("EXPORTING", "EDITING")]


def test_those_that_succeed_at_once_end_the_job_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    exports = ask_for_all(desk)
    all_ready, save = threading.Barrier(len(exports)), type(storage()).save_bytes

    def save_and_wait(*args: Any, **named: Any) -> Any:
        kept = save(*args, **named)
        all_ready.wait(60)
        return kept

    monkeypatch.setattr(type(storage()), "save_bytes", save_and_wait)
    at_once(len(exports), lambda index: perform(exports[index]))
    assert set(Export.objects.values_list("status", flat=True)) == {"SUCCEEDED"}
    assert (status_of(desk.job), count_events(desk.job, "EXPORT_SUCCEEDED")) == ("DONE", len(FORMATS))
    assert changes(desk) == [("EDITING", "EXPORTING"), ("EXPORTING", "DONE")]
    listed = Job.objects.get(pk=desk.job.pk).manifest["exports"]
    assert len(listed) == len(FORMATS), "an artifact is lost from the list"


def test_one_that_fails_while_another_succeeds_leaves_the_job_done(desk: Desk) -> None:
    lose_picture(desk)
    failing = Export.objects.get(pk=request_export(desk, FORMATS[0]).json()["id"])
    Anchor.objects.filter(instruction=desk.job.instruction).update(active_asset=None)
    succeeding = Export.objects.get(pk=request_export(desk, FORMATS[1]).json()["id"])
    at_once(2, lambda index: perform((failing, succeeding)[index]))
    statuses = dict(Export.objects.values_list("pk", "status"))
    assert (statuses[failing.pk], statuses[succeeding.pk]) == ("FAILED", "SUCCEEDED")
    assert status_of(desk.job) == "DONE"


def test_a_worker_that_is_lost_before_the_others_fail_keeps_the_job(desk: Desk) -> None:
    """The job is EXPORTING while one runs whose worker is gone; that one, recovered, ends it."""
    lose_picture(desk)
    lost, *others = ask_for_all(desk)
    assert Export.claim(lost.pk)
    for export in others:
        perform(export)
    assert status_of(desk.job) == "EXPORTING"
    expire_leases()
    sweep_work_rows()
    make_due()
    work_off()
    assert status_of(desk.job) == "EDITING"
    assert changes(desk) == [("EDITING", "EXPORTING"), ("EXPORTING", "EDITING")]


def test_equal_requests_at_once_are_one_export(desk: Desk) -> None:
    desk.picture()
    answers = at_once(REQUESTS, lambda _: request_export(desk))
    assert sorted(answer.status_code for answer in answers) == [200] * (REQUESTS - 1) + [202]
    assert len({answer.json()["id"] for answer in answers}) == 1 == Export.objects.count()
    assert count_events(desk.job, "EXPORT_REQUESTED") == 1
