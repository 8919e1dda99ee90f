"""`manage.py backfill_exports`, with a real worker: what it asks for, what it leaves alone, and how it ends."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.storage import storage
from exports.models import Export
from exports.services import backfill
from exports.services.selection import Selection, estimate
from jobs.models import AuditEvent
from jobs.states import JobStatus
from tests.exports.operating import call, finished_job
from tests.factories import Api, make_export, make_job, work_off
from tests.jobs.seen import status_of
from tests.workers import running_worker

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

COMMAND, ZIP = "backfill_exports", ("--format", "MD_ZIP", "--rate", "0")
FORMATS = sorted(Export.Format.values)


@pytest.fixture
def worker() -> Iterator[None]:
    with running_worker(""):
        yield


def test_each_finished_guide_is_exported_once_in_each_format(api: Api, worker: None) -> None:
    jobs = [finished_job(api.user, has_picture=bool(number)) for number in range(2)]
    editing = make_job(JobStatus.EDITING, owner=api.user)
    status, report, _ = call(COMMAND, "--rate", "0")
    assert (status, report["totals"], report["ended_as"]) == (0, {"exported": 2 * len(FORMATS)}, "finished")
    made = sorted(Export.objects.values_list("job_id", "format", "status", "lane"))
    assert made == sorted((job.pk, name, "SUCCEEDED", "export_backfill") for job in jobs for name in FORMATS)
    assert [status_of(job) for job in (*jobs, editing)] == ["DONE", "DONE", "EDITING"]
    asked = AuditEvent.objects.filter(event_type="EXPORT_REQUESTED")
    assert set(asked.values_list("actor_type", "correlation_id")) == {("system", report["run_id"])}
    events = AuditEvent.objects.count()
    status, report, _ = call(COMMAND)
    assert (status, report["totals"]) == (0, {"present": 2 * len(FORMATS)})
    assert (Export.objects.count(), AuditEvent.objects.count()) == (2 * len(FORMATS), events)


def test_a_dry_run_writes_nothing(api: Api) -> None:
    finished_job(api.user)
    with CaptureQueriesContext(connection) as asked:
        status, report, _ = call(COMMAND, "--dry-run")
    assert (status, report["totals"]) == (0, {"would_ask": len(FORMATS)})
    assert [query["sql"] for query in asked if not query["sql"].startswith(("SELECT", "EXPLAIN"))] == []
    assert not Export.objects.exists()


def test_jobs_are_read_by_key_and_nothing_is_counted(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exports.services.selection.JOBS_A_PAGE", 2)
    for _ in range(5):
        finished_job(api.user)
    with CaptureQueriesContext(connection) as asked:
        assert call(COMMAND, *ZIP, "--dry-run")[1]["totals"] == {"would_ask": 5}
    statements = [query["sql"] for query in asked]
    assert not [sql for sql in statements if "OFFSET" in sql or "COUNT(" in sql.upper()]
    assert sum('FROM "jobs_job"' in sql and '"id" > ' in sql for sql in statements) == 3


@pytest.mark.parametrize(("most", "least", "greatest"), [(1_000, 5, 5), (3, 3, 10**6)])
def test_few_are_counted_and_many_are_estimated(
    api: Api, monkeypatch: pytest.MonkeyPatch, most: int, least: int, greatest: int
) -> None:
    monkeypatch.setattr("exports.services.selection.MOST_COUNTED", most)
    for _ in range(5):
        finished_job(api.user)
    with CaptureQueriesContext(connection) as asked:
        assert least <= estimate(Selection(formats=("PDF",)).jobs()) <= greatest
    assert ("EXPLAIN" in asked[-1]["sql"]) == (most == 3)


def test_the_limit_is_of_new_ones_and_the_next_run_goes_on(api: Api, worker: None) -> None:
    for _ in range(3):
        finished_job(api.user)
    totals = [call(COMMAND, *ZIP, "--limit", "2")[1]["totals"] for _ in range(3)]
    assert totals == [{"exported": 2}, {"exported": 1, "present": 2}, {"present": 3}]


def test_what_is_selected_by_project_job_and_time(api: Api) -> None:
    first, second = finished_job(api.user), finished_job(api.user)
    selections = (
        (("--job", str(first.pk)), 1),
        (("--project", str(second.project_id)), 1),
        (("--since", second.created_at.isoformat()), 1),
        (("--until", second.created_at.isoformat()), 1),
        (("--since", "2020-01-01"), 2),
        (("--until", "2020-01-01"), 0),
    )
    for options, number in selections:
        report = call(COMMAND, *ZIP, "--dry-run", *options)[1]
        assert report["totals"] == ({"would_ask": number} if number else {}), options


@pytest.mark.parametrize(("prefix", "number"), [("md_zip-0", 1), ("md_zip-1", 0)])
def test_what_another_renderer_made_is_rendered_again(api: Api, prefix: str, number: int) -> None:
    job = finished_job(api.user)
    made = make_export(job, status="SUCCEEDED", format="MD_ZIP")
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        Export.objects.filter(pk=made.pk).update(
            renderer_version="md_zip-0+x", generated_at="2026-01-01T00:00Z"
        )
        cursor.execute("SET session_replication_role = DEFAULT")
    finished_job(api.user)  # never exported: there is nothing to render again
    report = call(COMMAND, *ZIP, "--dry-run", "--renderer-version", prefix)[1]
    assert report["totals"] == ({"would_ask": number} if number else {})


def test_only_missing_passes_over_pictures_that_changed(api: Api, worker: None) -> None:
    job = finished_job(api.user, has_picture=True)
    assert call(COMMAND, *ZIP)[1]["totals"] == {"exported": 1}
    anchor = job.instruction.anchors.get()
    type(anchor).objects.update(active_asset=None)
    assert call(COMMAND, *ZIP, "--only-missing")[1]["totals"] == {"present": 1}
    assert call(COMMAND, *ZIP)[1]["totals"] == {"exported": 1}


def test_one_that_fails_is_listed_and_the_others_are_made(api: Api, worker: None) -> None:
    broken, _ = finished_job(api.user, has_picture=True), finished_job(api.user)
    uri = broken.assets.get().uri
    content = storage().open(uri).read()
    storage().delete(uri)
    status, report, _ = call(COMMAND, *ZIP)
    assert (status, report["totals"]) == (1, {"exported": 1, "failed": 1})
    listed = {key: report["listed"][0][key] for key in ("job_id", "codes", "format")}
    assert listed == {"job_id": str(broken.pk), "codes": ["ASSET_MISSING"], "format": "MD_ZIP"}
    storage().save_bytes(f"jobs/{broken.pk}/", content, suffix=".png")
    assert call(COMMAND, *ZIP)[:2][1]["totals"] == {"exported": 1, "present": 1}


def test_no_more_are_open_than_allowed(api: Api, worker: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        finished_job(api.user)
    request, most = backfill.request_all, []

    def counted(wanted: Any, **named: Any) -> Any:
        asked = request(wanted, **named)
        most.append(Export.objects.filter(status__in=Export.ACTIVE).count())
        return asked

    monkeypatch.setattr(backfill, "request_all", counted)
    assert call(COMMAND, *ZIP, "--concurrency", "2")[1]["totals"] == {"exported": 6}
    assert max(most) <= 2


def test_a_rate_is_kept(api: Api, worker: None) -> None:
    for _ in range(3):
        finished_job(api.user)
    report = call(COMMAND, "--format", "MD_ZIP", "--rate", "120")[1]
    assert report["totals"] == {"exported": 3} and report["seconds"] >= 1.0


def test_without_a_worker_it_says_so_and_gives_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "SILENT_SECONDS", 0.1)
    monkeypatch.setattr(backfill, "GIVE_UP_SECONDS", 0.3)
    finished_job(api.user)
    status, report, said = call(COMMAND, *ZIP)
    assert (status, report["ended_as"], report["totals"]) == (1, "no_worker", {"left_open": 1})
    assert "No worker serves the lane export_backfill" in said and "manage.py work export_backfill" in said
    work_off()
    assert call(COMMAND, *ZIP)[1]["totals"] == {"present": 1}


def test_an_interrupt_stops_it_cleanly_and_the_next_run_goes_on(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        finished_job(api.user)
    wait = backfill.Backfill._wait

    def interrupted(self: backfill.Backfill, is_enough: Any) -> None:
        if len(self.open) == 2 and not self.stopped.is_set():
            os.kill(os.getpid(), signal.SIGINT)
        wait(self, is_enough)

    usual = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(backfill.Backfill, "_wait", interrupted)
    status, report, _ = call(COMMAND, *ZIP, "--concurrency", "3")
    assert (status, report["ended_as"], report["totals"]) == (130, "interrupted", {"left_open": 2})
    assert signal.getsignal(signal.SIGINT) is usual
    monkeypatch.undo()
    with running_worker(""):
        for export in Export.objects.all():  # their messages went to the queue of no test
            export.enqueue_on_commit()
        assert call(COMMAND, *ZIP)[1]["totals"]["exported"] >= 2
    assert list(Export.objects.values_list("status", flat=True)) == ["SUCCEEDED"] * 4
    assert AuditEvent.objects.filter(event_type="EXPORT_REQUESTED").count() == 4, "one is asked for twice"


def test_two_backfills_at_once_make_each_export_once(api: Api, worker: None) -> None:
    for _ in range(4):
        finished_job(api.user)
    reports: list[dict[str, Any]] = []

    def run() -> None:
        try:
            reports.append(call(COMMAND, *ZIP)[1])
        finally:
            connection.close()

    beside = threading.Thread(target=run)
    beside.start()
    reports.append(call(COMMAND, *ZIP)[1])
    beside.join(60)
    assert all(sum(report["totals"].values()) == 4 for report in reports)
    assert Export.objects.count() == 4 == AuditEvent.objects.filter(event_type="EXPORT_SUCCEEDED").count()
