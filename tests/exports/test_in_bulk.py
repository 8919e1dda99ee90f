"""What a backfill asks for and performs some at a time is what the API gives alone; what fails, fails alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from dramatiq.middleware import Shutdown

from anchors.models import Asset
from config.api.errors import ApiError
from config.work.lanes import Lane
from config.work.lease import Lease, beating
from config.work.registry import KINDS, Kind
from exports.models import Export
from exports.services import bulk_requests, rendering
from exports.services.requests import request_in_bulk
from exports.services.selection import Wanted
from jobs.models import Artifact, AuditEvent, Job
from jobs.services.transitions import lock_free_jobs
from tests.exports.operating import finished_job
from tests.factories import Api

pytestmark = pytest.mark.django_db(transaction=True)

LANE = Lane.EXPORT_BACKFILL
FROZEN = ("snapshot", "identity_key", "screenshot_set_hash", "renderer_version", "format", "lane", "owner_id")
MADE = (*FROZEN, "status", "artifact_sha256", "artifact_name", "artifact_mime_type", "manifest", "attempt")


def wanted(api: Api, number: int, *formats: str) -> list[Wanted]:
    jobs = [finished_job(api.user, has_picture=True) for _ in range(number)]
    versions = [job.instruction.versions.latest("version") for job in jobs]
    return [
        Wanted(job, version, format)
        for job, version in zip(jobs, versions, strict=True)
        for format in formats or ("MD_ZIP",)
    ]


def ask(some: list[Wanted]) -> list[Export]:
    answers = bulk_requests.request_all(some, correlation_id="run")
    assert not [answer for answer in answers if isinstance(answer, ApiError)]
    return [Export.objects.get(pk=answer.pk) for answer in answers if not isinstance(answer, ApiError)]


def kind_with(**parts: Callable[..., Any]) -> Kind[Any]:
    kind: Kind[Any] = KINDS[Export]
    assert kind.in_bulk
    return replace(kind, in_bulk=replace(kind.in_bulk, **parts))


def statuses(exports: list[Export]) -> list[str]:
    return [Export.objects.get(pk=export.pk).status for export in exports]


def events(exports: list[Export], event_type: str) -> int:
    ids = [str(export.pk) for export in exports]
    return AuditEvent.objects.filter(event_type=event_type, data__export_id__in=ids).count()


@pytest.mark.slow
def test_what_is_made_together_is_what_is_made_alone(api: Api) -> None:
    some = wanted(api, 2, *Export.Format.values)

    def made_together() -> None:
        ask(some)
        assert KINDS[Export].perform_next(LANE)

    def made_alone() -> None:
        for job, version, format in some:
            export, _ = request_in_bulk(job=job, version=version, format=format, correlation_id="run")
            assert KINDS[Export].perform_row(export.pk)

    found = []
    for make in (made_together, made_together, made_alone):
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE exports_export")
        make()
        found.append(list(Export.objects.order_by("job", "format").values(*MADE)))
    # The first rendering finds out what the pictures show, which is frozen into later ones.
    assert len(found[0]) == 2 * len(Export.Format.values) and found[1] == found[2]
    assert {row["status"] for row in found[1]} == {"SUCCEEDED"}


def test_each_is_written_once_with_its_events_and_its_version(api: Api) -> None:
    some = wanted(api, 2, "MD_ZIP", "HTML")
    exports = ask(some)
    assert [answer.is_known for answer in bulk_requests.request_all(some, correlation_id="run")] == [True] * 4  # type: ignore[union-attr]
    assert KINDS[Export].perform_next(LANE) and not KINDS[Export].perform_next(LANE)
    assert statuses(exports) == ["SUCCEEDED"] * 4
    kinds = ("EXPORT_REQUESTED", "EXPORT_STARTED", "EXPORT_SUCCEEDED")
    assert [events(exports, name) for name in kinds] == [4] * 3
    for job in {one.job for one in some}:
        artifacts = Artifact.objects.filter(job=job, kind="export").order_by("version")
        assert list(artifacts.values_list("version", flat=True)) == [1, 2]
        shown = Job.objects.get(pk=job.pk).manifest["exports"]
        assert sorted(shown) == sorted(artifacts.values_list("uri", flat=True))


def test_statements_do_not_grow_with_what_is_done_together(api: Api) -> None:
    asked, performed = [], []
    for number in (2, 6):
        some = wanted(api, number)
        with CaptureQueriesContext(connection) as statements:
            ask_for = bulk_requests.request_all(some, correlation_id="run")
        asked.append(len(statements))
        with CaptureQueriesContext(connection) as statements:
            assert KINDS[Export].perform_next(LANE)
        performed.append(len(statements))
        assert len(ask_for) == number
    assert asked[0] == asked[1] and performed[0] == performed[1]


def test_a_job_that_somebody_has_locked_is_left_out(api: Api) -> None:
    some, locked, seen = wanted(api, 2), threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Job.objects.select_for_update().get(pk=some[0].job.pk)
            locked.set()
            assert seen.wait(20)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(20)
    with transaction.atomic():
        found = lock_free_jobs(one.job.pk for one in some)
    seen.set()
    holder.join(20)
    assert set(found) == {some[1].job.pk}


def test_those_of_locked_jobs_are_asked_for_and_made_alone(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    some = wanted(api, 3)

    def all_but_one(job_ids: Any) -> dict[Any, Job]:
        return {pk: job for pk, job in lock_free_jobs(job_ids).items() if pk != some[0].job.pk}

    monkeypatch.setattr(bulk_requests, "lock_free_jobs", all_but_one)
    monkeypatch.setattr(rendering, "lock_free_jobs", all_but_one)
    exports = ask(some)
    assert KINDS[Export].perform_next(LANE)
    assert statuses(exports) == ["SUCCEEDED"] * 3
    assert events(exports, "EXPORT_SUCCEEDED") == 3 == events(exports, "EXPORT_STARTED")


def test_pictures_that_change_meanwhile_are_frozen_anew(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    some = wanted(api, 2)

    def changed(job_ids: Any) -> dict[Any, Job]:
        some[0].version.instruction.anchors.update(active_asset=None)
        return lock_free_jobs(job_ids)

    monkeypatch.setattr(bulk_requests, "lock_free_jobs", changed)
    exports = ask(some)
    assert [len(export.snapshot["pictures"]) for export in exports] == [0, 1]


def test_a_claim_that_has_ended_meanwhile_writes_nothing(api: Api) -> None:
    exports = ask(wanted(api, 3))

    def make(export: Export, lease: Lease, begun: rendering.Begun) -> Any:
        made = rendering.make_artifact(export, lease, begun)
        if export == exports[1]:
            Export.objects.filter(pk=export.pk).update(attempt=F("attempt") + 1)
        return made

    assert kind_with(make=make).perform_next(LANE)
    assert statuses(exports) == ["SUCCEEDED", "RUNNING", "SUCCEEDED"]
    assert Artifact.objects.filter(kind="export").count() == 2 == events(exports, "EXPORT_SUCCEEDED")


def test_a_picture_that_is_redacted_meanwhile_fails_its_own_export(api: Api) -> None:
    exports = ask(wanted(api, 3))

    def make(export: Export, lease: Lease, begun: rendering.Begun) -> Any:
        made = rendering.make_artifact(export, lease, begun)
        if export == exports[1]:
            Asset.objects.filter(job=export.job_id).update(is_concealed=True)
        return made

    assert kind_with(make=make).perform_next(LANE)
    assert statuses(exports) == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    assert Export.objects.get(pk=exports[1].pk).failure_code == "PICTURE_REDACTED"


@pytest.mark.parametrize("part", ["start", "finish"])
def test_after_an_error_in_writing_together_each_is_written_alone(api: Api, part: str) -> None:
    exports = ask(wanted(api, 2))

    def fail(_: Any) -> Any:
        raise ValueError

    assert kind_with(**{part: fail}).perform_next(LANE)
    assert statuses(exports) == ["SUCCEEDED"] * 2
    assert Artifact.objects.filter(kind="export").count() == 2 == events(exports, "EXPORT_SUCCEEDED")


def test_a_worker_that_stops_ends_what_is_made_and_gives_back_the_rest(api: Api) -> None:
    exports = ask(wanted(api, 3))

    def make(export: Export, lease: Lease, begun: rendering.Begun) -> Any:
        if export == exports[1]:
            raise Shutdown
        return rendering.make_artifact(export, lease, begun)

    assert kind_with(make=make).perform_next(LANE)
    assert statuses(exports) == ["SUCCEEDED", "REQUESTED", "REQUESTED"]
    assert set(Export.objects.values_list("retries", "losses")) == {(0, 0)}


def test_a_stop_while_many_are_written_gives_all_of_them_back(api: Api) -> None:
    exports = ask(wanted(api, 2))

    def stop(_: Any) -> Any:
        raise Shutdown

    assert kind_with(finish=stop).perform_next(LANE)
    assert statuses(exports) == ["REQUESTED"] * 2


def test_what_is_not_begun_in_time_goes_back(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    exports = ask(wanted(api, 3))

    def make(export: Export, lease: Lease, begun: rendering.Begun) -> Any:
        monkeypatch.setattr("config.work.registry.MAX_BULK_SECONDS", -1.0)
        return rendering.make_artifact(export, lease, begun)

    assert kind_with(make=make).perform_next(LANE)
    assert statuses(exports) == ["SUCCEEDED", "REQUESTED", "REQUESTED"]


def test_a_full_claim_tells_of_what_still_waits(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.work.registry.MAX_IN_BULK", 2)
    exports = ask(wanted(api, 3))
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE dramatiq.queue")
        told = []
        for _ in range(2):
            assert KINDS[Export].perform_next(LANE)
            cursor.execute("SELECT count(*) FROM dramatiq.queue WHERE queue_name = %s", [LANE])
            told.append(cursor.fetchone()[0])
    assert told == [1, 1] and statuses(exports) == ["SUCCEEDED"] * 3


def test_who_locks_what_waits_tells_of_it_again(api: Api) -> None:
    ((job, version, format),) = some = wanted(api, 1)
    (export,) = ask(some)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE dramatiq.queue")
        with transaction.atomic():
            request_in_bulk(job=job, version=version, format=format, correlation_id="another run")
            assert not claimed_beside(), "it is locked"
        cursor.execute("SELECT count(*) FROM dramatiq.queue WHERE queue_name = %s", [LANE])
        assert cursor.fetchone() == (1,)
    assert claimed_beside() == [export.pk]


def claimed_beside() -> list[Any]:
    """Return what another thread can claim in this moment."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(claimed).result()


def claimed() -> list[Any]:
    try:
        return [export.pk for export in Export.claim_in_bulk(LANE, 9)]
    finally:
        connection.close()


def test_only_what_is_due_in_the_lane_is_claimed_and_the_oldest_first(api: Api) -> None:
    first, later, other, last = ask(wanted(api, 4))
    Export.objects.filter(pk=later.pk).update(available_at="2100-01-01T00:00Z")
    Export.objects.filter(pk=other.pk).update(lane=Lane.EXPORTS)
    Export.objects.filter(pk=last.pk).update(available_at="2020-01-01T00:00Z")
    assert [export.pk for export in Export.claim_in_bulk(LANE, 1)] == [last.pk]
    claimed = Export.claim_in_bulk(LANE, 9)
    assert [(export.pk, export.status, export.attempt) for export in claimed] == [(first.pk, "RUNNING", 1)]


def test_one_heart_renews_all_leases_but_those_that_are_lost(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(wanted(api, 2))
    lost, kept = (Lease(export) for export in Export.claim_in_bulk(LANE, 2))
    Export.objects.filter(pk=lost.row.pk).update(attempt=F("attempt") + 1)
    before = dict(Export.objects.values_list("pk", "heartbeat_at"))
    monkeypatch.setattr("config.work.lease.HEARTBEAT_SECONDS", 0.05)
    with beating([lost, kept]):
        while (
            not lost._lost.is_set() or Export.objects.get(pk=kept.row.pk).heartbeat_at == before[kept.row.pk]
        ):
            pass
    assert Export.objects.get(pk=lost.row.pk).heartbeat_at == before[lost.row.pk]
    assert not kept._lost.is_set()
