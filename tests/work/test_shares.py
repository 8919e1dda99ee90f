"""Owners take turns: who has much work waiting holds up nobody who has little, and has so much open at most."""

from __future__ import annotations

import dataclasses
import json
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from anchors.models import ScreenshotTask
from config.accounts.models import User
from config.work.lanes import Lane
from config.work.lease import Lease
from config.work.models import Worker, WorkRow
from config.work.registry import KINDS
from config.work.workers import Timer, Workers
from exports.models import Export
from jobs.models import Job, PipelineRun
from jobs.queries import with_queue_position
from jobs.states import JobStatus
from tests.desk import Desk
from tests.exports.asking import request_export
from tests.factories import Api, make_job, make_run, make_screenshot_task, make_user
from tests.plans import nodes
from tests.races import at_once
from tests.workers import running_worker


def make_tasks(
    owner: User, number: int, *, job: Job | None = None, minutes_ago: int = 5
) -> list[ScreenshotTask]:
    """So many tasks of an owner that wait, the oldest first."""
    job = job or make_job(JobStatus.EDITING, owner=owner)
    made = [make_screenshot_task(job) for _ in range(number)]
    for index, task in enumerate(made):
        due = Now() - timedelta(minutes=minutes_ago, seconds=-index)
        ScreenshotTask.objects.filter(pk=task.pk).update(available_at=due)
    return made


def claim() -> ScreenshotTask | None:
    return ScreenshotTask.claim_next(Lane.MEDIA)


def claimed_owners(number: int) -> list[str]:
    return [task.owner.subject for _ in range(number) if (task := claim())]


def test_one_picture_does_not_wait_behind_another_owners_hundred(db: None) -> None:
    make_tasks(make_user("many"), 20)
    make_tasks(make_user("few"), 1, minutes_ago=1)
    assert claimed_owners(3) == ["many", "few", "many"]


def test_owners_who_have_much_work_each_take_turns(db: None) -> None:
    for name in ("a", "b", "c"):
        make_tasks(make_user(name), 3)
    assert sorted(claimed_owners(3)) == sorted(claimed_owners(3)) == ["a", "b", "c"]


def test_running_work_counts_when_whose_turn_it_is_is_decided(db: None) -> None:
    many, few = make_user("many"), make_user("few")
    make_tasks(many, 4)
    assert claimed_owners(2) == ["many", "many"]
    make_tasks(few, 2, minutes_ago=1)
    assert claimed_owners(4) == ["few", "few", "many", "many"]


def test_of_one_owner_the_oldest_row_comes_first(db: None) -> None:
    made = make_tasks(make_user(), 3)
    assert [task.pk for _ in made if (task := claim())] == [task.pk for task in made]
    assert claim() is None


def test_rows_of_another_lane_or_that_are_not_due_are_not_claimed(db: None) -> None:
    make_run(lane=Lane.BACKFILL)
    make_run(available_at=Now() + timedelta(seconds=60))
    assert PipelineRun.claim_next(Lane.SPEECH) is None
    assert PipelineRun.claim_next(Lane.BACKFILL)


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_once_each_gets_a_row_of_its_own() -> None:
    make_tasks(make_user("many"), 12)
    few = make_tasks(make_user("few"), 1, minutes_ago=1)
    got = [task.pk for task in at_once(8, lambda _: claim()) if task]
    assert len(set(got)) == len(got) == 8
    assert few[0].pk in got


@pytest.mark.django_db(transaction=True)
def test_a_locked_row_is_passed_over_and_the_next_owner_served() -> None:
    first, _ = make_tasks(make_user("many"), 2)
    (other,) = make_tasks(make_user("few"), 1, minutes_ago=1)
    held, done = threading.Event(), threading.Event()

    def hold(_: int) -> None:
        with transaction.atomic():
            ScreenshotTask.objects.select_for_update().get(pk=first.pk)
            held.set()
            assert done.wait(20)

    def take(_: int) -> ScreenshotTask | None:
        assert held.wait(20)
        try:
            return claim()
        finally:
            done.set()

    got = at_once(2, lambda number: (hold, take)[number](number))[1]
    assert got and got.pk == other.pk


def test_a_claim_reads_the_rows_that_wait_and_no_others(db: None) -> None:
    job = make_job(JobStatus.EDITING, owner=make_user())
    make_tasks(job.owner, 20, job=job)
    one = make_screenshot_task(job, status=ScreenshotTask.SUCCEEDED)
    rows = []
    for index in range(3000):
        one.pk, one.request_key = None, f"{index:064d}"
        rows.append(
            ScreenshotTask(**{f.attname: getattr(one, f.attname) for f in one._meta.fields if f.name != "id"})
        )
    ScreenshotTask.objects.bulk_create(rows)
    plans = list[str]()

    def explain(execute, sql, parameters, many, context):  # type: ignore[no-untyped-def]
        if "SKIP LOCKED" in sql and not sql.startswith("EXPLAIN"):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}", parameters)
                plans.append("\n".join(line for (line,) in cursor.fetchall()))
        return execute(sql, parameters, many, context)

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE anchors_screenshottask")
    with connection.execute_wrapper(explain):
        assert claim()
    assert "screenshot_claim" in plans[0] and "Seq Scan on anchors" not in plans[0], plans[0]


def ask_for_pictures(desk: Desk, number: int) -> list[int]:
    return [desk.extract(timestamp_ms=1000 + index).status_code for index in range(number)]


def test_one_picture_more_than_may_wait_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScreenshotTask, "MAX_OPEN_PER_OWNER", 3)
    assert ask_for_pictures(desk, 3) == [202] * 3
    refused = desk.extract(timestamp_ms=5000)
    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
    assert refused.json()["details"] == {"limit": 3, "open": 3}
    assert int(refused.headers["Retry-After"]) > 0
    assert desk.extract(timestamp_ms=1000).status_code == 200, "what is asked for again is no new work"
    claimed = claim()
    assert claimed and desk.extract(timestamp_ms=5000).status_code == 429, "what runs counts too"
    claimed.close(claimed.SUCCEEDED)
    assert desk.extract(timestamp_ms=5000).status_code == 202


def test_a_picture_that_failed_is_not_started_again_over_the_limit(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScreenshotTask, "MAX_OPEN_PER_OWNER", 1)
    failed = ScreenshotTask.objects.get(pk=desk.extract(timestamp_ms=1000).json()["task_id"])
    failed.close(failed.FAILED)
    assert desk.extract(timestamp_ms=2000).status_code == 202
    assert desk.extract(timestamp_ms=1000).status_code == 429


def test_the_limit_of_one_owner_is_not_anothers(
    desk: Desk, stranger: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScreenshotTask, "MAX_OPEN_PER_OWNER", 1)
    assert ask_for_pictures(desk, 2) == [202, 429]
    assert ask_for_pictures(Desk(stranger), 1) == [202]


def test_one_export_more_than_may_wait_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Export, "MAX_OPEN_PER_OWNER", 1)
    assert request_export(desk, "PDF").status_code == 202
    refused = request_export(desk, "MD_ZIP")
    assert (refused.status_code, refused.json()["details"]) == (429, {"limit": 1, "open": 1})
    assert request_export(desk, "PDF").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_many_requests_at_once_for_many_jobs_none_gets_over_the_limit(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScreenshotTask, "MAX_OPEN_PER_OWNER", 4)
    desks = [Desk(owner) for _ in range(8)]
    answers = at_once(8, lambda index: desks[index].extract().status_code)
    assert sorted(answers) == [202] * 4 + [429] * 4


def test_the_first_place_in_the_queue_is_that_of_the_next_claim(db: None) -> None:
    many, few = make_user("many"), make_user("few")
    runs = [
        make_run(owner=many),
        make_run(owner=many),
        make_run(owner=few),
        make_run(owner=few, lane="backfill"),
    ]
    places = {run.pk: Api(run.owner).get(f"/jobs/{run.job_id}").json()["queue_position"] for run in runs}
    assert [places[run.pk] for run in runs] == [1, 3, 2, 1]
    order = [run.pk for _ in range(3) if (run := PipelineRun.claim_next(Lane.SPEECH))]
    assert order == sorted(order, key=places.__getitem__)


def test_those_who_wait_are_ranked_once_for_all_jobs_of_a_list(owner: Api) -> None:
    for _ in range(3):
        make_run(owner=owner.user)
    plan = with_queue_position(Job.objects.visible_to(owner.user)).explain(analyze=True, format="json")
    loops = [
        node["Actual Loops"]
        for node in nodes(json.loads(plan)[0]["Plan"])
        if node["Node Type"] == "WindowAgg"
    ]
    assert loops == [1] * 2


def test_no_owner_has_all_threads_of_a_lane_that_has_more_than_one(db: None) -> None:
    many, few = make_user("many"), make_user("few")
    make_tasks(many, 4)
    Worker.objects.create(name="w", lanes=["media", "media", "control"])
    assert claimed_owners(3) == ["many"]
    make_tasks(few, 2, minutes_ago=1)
    assert claimed_owners(3) == ["few"], "each has his half"
    Worker.objects.create(name="another machine's", lanes=["media", "media"])
    assert sorted(claimed_owners(4)) == ["few", "many"]


def test_a_lane_of_one_thread_is_each_owners(db: None) -> None:
    make_tasks(make_user("many"), 2)
    Worker.objects.create(name="w", lanes=["media"])
    assert claimed_owners(1) == ["many"]


def test_threads_of_a_worker_that_is_silent_do_not_count(db: None) -> None:
    make_tasks(make_user("many"), 3)
    Worker.objects.create(name="w", lanes=["media", "media"])
    gone = Worker.objects.create(name="killed", lanes=["media"] * 4)
    Worker.objects.filter(pk=gone.pk).update(heartbeat_at=Now() - timedelta(seconds=31))
    assert claimed_owners(3) == ["many"]


@pytest.mark.django_db(transaction=True)
def test_of_claims_at_once_one_owner_gets_no_more_than_his_share() -> None:
    make_tasks(make_user("many"), 8)
    Worker.objects.create(name="w", lanes=["media"] * 4)
    assert len([task for task in at_once(8, lambda _: claim()) if task]) <= 2


@pytest.mark.django_db(transaction=True)
def test_what_an_owner_had_to_leave_is_performed_when_his_share_is_free(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second message came while the first picture was taken: nobody could claim what it was for."""
    Worker.objects.create(name="w", lanes=["media", "media"])
    kind = KINDS[ScreenshotTask]
    assert ask_for_pictures(desk, 2) == [202] * 2
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE dramatiq.queue")

    def perform(row: WorkRow, lease: Lease) -> None:
        (is_performed,) = at_once(1, lambda _: kind.perform_next(Lane.MEDIA))
        assert not is_performed
        ScreenshotTask.objects.get(pk=row.pk).close(ScreenshotTask.SUCCEEDED)

    assert dataclasses.replace(kind, perform=perform).perform_next(Lane.MEDIA)
    waiting = ScreenshotTask.objects.get(status=ScreenshotTask.WAITING)
    with connection.cursor() as cursor:
        cursor.execute("SELECT message->'args'->>0 FROM dramatiq.queue")
        assert cursor.fetchall() == [(str(waiting.pk),)]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_tells_of_each_of_its_threads() -> None:
    with running_worker("") as running:
        lane = next(lane for lane in running.lanes if lane.endswith(Lane.MEDIA))
        workers = Workers(running.broker, {lane: 3})
        workers.start()
        Timer(workers).beat()
        workers.stop()
    assert Worker.objects.get().lanes == [lane] * 3
