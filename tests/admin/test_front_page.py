"""The front page of the admin: what goes on, what is stuck, what fails, who works and what is stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from config.accounts.models import User
from config.admin import counts
from config.admin.counts import Counted, estimate_by_value, estimate_sum
from config.admin.front import FRONT_PANELS
from config.api.pagination import first_id_from
from config.storage.s3 import S3Storage
from config.work.models import Worker
from jobs.models import Artifact, AuditEvent, Job, PipelineRun
from jobs.services.audit import by_editor, by_system
from jobs.services.jobs import fail_job
from jobs.services.runs import retry_job
from jobs.states import JobStatus
from tests.factories import (
    force,
    make_dispatch,
    make_export,
    make_job,
    make_many_jobs,
    make_project,
    make_run,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def panel(client: Client, title: str) -> Any:
    """Return what a panel of the page was given."""
    answer = client.get("/admin/")
    assert answer.status_code == 200
    shown = {each["panel"].title: each["content"] for each in answer.context["front_panels"]}
    return shown[title]


def let_fail(job: Job, code: str, age: timedelta = timedelta(0)) -> None:
    """Write down that a job failed so long ago; without a code as events were before they had one."""
    AuditEvent.objects.create(
        pk=first_id_from(timezone.now() - age),
        job=job,
        project=job.project,
        event_type="JOB_FAILED",
        new_status="FAILED",
        occurred_at=timezone.now() - age,
        data={"failure_code": code} if code else {},
    )


def let_be_made_before(job: Job, age: timedelta) -> Job:
    """Give a job on which nothing hangs the id of one that was made earlier."""
    pk = first_id_from(timezone.now() - age)
    Job.objects.create(
        pk=pk, project=job.project, owner=job.owner, status=job.status, failure=job.failure, options={}
    )
    return Job.objects.get(pk=pk)


def test_an_empty_service_says_what_to_do(staff: Client) -> None:
    page = staff.get("/admin/").content.decode()
    for said in (
        "No jobs yet",
        "Nothing is stuck",
        "No worker is alive",
        "No exports yet",
        "within two weeks",
    ):
        assert said in page, said


def test_jobs_are_counted_by_state_and_age(staff: Client) -> None:
    project = make_project()
    make_many_jobs(project, 3)
    for age in (2, 6, 8):
        let_be_made_before(Job.objects.latest("pk"), timedelta(days=age))
    make_many_jobs(project, 1, JobStatus.DONE)
    lines = panel(staff, "Jobs by state and age")
    told = {line["status"]: [str(cell["count"]) for cell in line["cells"]] for line in lines}
    assert told == {"CREATED": ["3", "5", "6"], "DONE": ["1", "1", "1"]}
    assert staff.get(lines[0]["url"]).context["cl"].result_count == 6


def test_many_jobs_are_told_as_about(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.admin.front.MAX_IN_CELL", 1000)
    project = make_project()
    made = {"project": project, "owner": project.owner, "status": "DONE"}
    Job.objects.bulk_create(Job(pk=UUID(int=number), **made) for number in range(1100))
    cells = panel(staff, "Jobs by state and age")[-1]["cells"]
    assert str(cells[2]["count"]) == "over 1,000"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job")
    assert estimate_by_value(Job, "status")["DONE"] == pytest.approx(1100, abs=2)
    assert str(panel(staff, "Jobs by state and age")[-1]["cells"][2]["count"]) == "about 1,100"


@pytest.mark.parametrize(
    ("found", "estimate", "told"),
    [(7, 0, "7"), (1000, 9e6, "1,000"), (1001, 0, "over 1,000"), (1001, 1234567, "about 1,230,000")],
)
def test_a_count_says_how_exact_it_is(found: int, estimate: float, told: str) -> None:
    assert str(Counted.of(found, estimate)) == told


def test_silent_jobs_are_stuck(staff: Client, settings: Any) -> None:
    settings.JOB_TIMEOUT_MINUTES = 30
    silent, at_work = make_job(JobStatus.TRANSCRIBING), make_job(JobStatus.TRANSCRIBING)
    waits_for_owner = make_job(JobStatus.EDITING)
    late = Now() - timedelta(minutes=31)
    Job.objects.filter(pk__in=[silent.pk, waits_for_owner.pk]).update(updated_at=late)
    (line,) = panel(staff, "What is stuck")
    assert (line.count.number, line.label) == (1, "Jobs at work without a change for 30 minutes")
    shown = staff.get(line.url).context["cl"].result_list
    assert [job.pk for job in shown] == [silent.pk] and at_work.pk


def test_work_that_does_not_go_on_is_stuck(staff: Client) -> None:
    lost, waiting = make_run(), make_run()
    running = {"status": "RUNNING", "attempt": 1}
    PipelineRun.objects.filter(pk=lost.pk).update(**running, lease_expires_at=Now() - timedelta(seconds=1))
    PipelineRun.objects.filter(pk=waiting.pk).update(available_at=Now() - timedelta(minutes=11))
    old, fresh = make_export(make_job(JobStatus.EDITING)), make_export(make_job(JobStatus.EDITING))
    type(old).objects.filter(pk=old.pk).update(available_at=Now() - timedelta(minutes=11))
    abandoned = make_dispatch(make_job(JobStatus.UPLOADED), state="abandoned")
    lines = {line.label: line for line in panel(staff, "What is stuck")}
    assert set(lines) == {
        "Dispatches whose worker was lost",
        "Pipeline runs whose worker was lost",
        "Pipeline runs that wait for over 10 minutes",
        "Exports that wait for over 10 minutes",
    }
    assert str(abandoned.job_id) in lines["Dispatches whose worker was lost"].url  # it has no list of its own
    shown = staff.get(lines["Pipeline runs whose worker was lost"].url).context["cl"].result_list
    assert [row.pk for row in shown] == [lost.pk]
    shown = staff.get(lines["Exports that wait for over 10 minutes"].url).context["cl"].result_list
    assert [row.pk for row in shown] == [old.pk] and fresh.pk
    for line in lines.values():
        assert staff.get(line.url).status_code == 200


def test_the_list_of_work_shows_what_was_lost(staff: Client) -> None:
    lost, held = make_export(make_job(JobStatus.EDITING)), make_export(make_job(JobStatus.EDITING))
    for export, seconds in ((lost, -1), (held, 60)):
        type(export).objects.filter(pk=export.pk).update(
            status="RUNNING", attempt=1, lease_expires_at=Now() + timedelta(seconds=seconds)
        )
    shown = staff.get("/admin/exports/export/?stuck=lost").context["cl"].result_list
    assert [row.pk for row in shown] == [lost.pk]


def test_failures_are_counted_by_code_and_week(staff: Client) -> None:
    job = make_job()
    for code, age in [("A", 0), ("A", 2), ("A", 3), ("A", 8), ("B", 9), ("B", 13), ("C", 15)]:
        let_fail(job, code, timedelta(days=age))
    lines = panel(staff, "Failures by code")["lines"]
    told = [(each["code"], each["today"], each["week"], each["before"]) for each in lines]
    assert told == [("A", 1, 3, 1), ("B", 0, 0, 2)]
    page = staff.get("/admin/").content.decode()
    assert "2 more" in page and "2 fewer" in page


@pytest.mark.django_db(transaction=True)
def test_a_failure_counts_after_its_job_was_retried(staff: Client) -> None:
    job = fail_job(job_id=make_job(JobStatus.EDITING).pk, by=by_system("test"))
    (line,) = panel(staff, "Failures by code")["lines"]
    assert (line["code"], line["today"]) == ("FAILED_BY_SUPPORT", 1)
    assert list(staff.get(line["url"]).context["cl"].result_list) == [job]
    retry_job(job_id=job.pk, by=by_editor(job.owner), client_request_id="r-1", model_profile="extractive")
    (line,) = panel(staff, "Failures by code")["lines"]
    assert (line["code"], line["today"]) == ("FAILED_BY_SUPPORT", 1)
    assert not staff.get(line["url"]).context["cl"].result_list


def test_a_failure_from_before_codes_has_that_of_a_job_that_stands(staff: Client) -> None:
    stands, goes_on = force(make_job(), JobStatus.FAILED), make_job(JobStatus.EDITING)
    Job.objects.filter(pk=stands.pk).update(failure={"failure_code": "A"})
    Job.objects.filter(pk=goes_on.pk).update(failure={"failure_code": "B"})
    let_fail(stands, "")
    let_fail(goes_on, "")
    lines = panel(staff, "Failures by code")["lines"]
    assert [(each["code"], each["today"], bool(each["url"])) for each in lines] == [
        ("", 1, False),
        ("A", 1, True),
    ]
    assert "(not recorded)" in staff.get("/admin/").content.decode()


def test_failures_that_are_too_many_to_count_are_not_compared(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.admin.front.MAX_FAILURES", 2)
    for _ in range(3):
        let_fail(make_job(), "A")
    shown = panel(staff, "Failures by code")
    assert shown["is_cut"] and [line["week"] for line in shown["lines"]] == [2]
    page = staff.get("/admin/").content.decode()
    assert "the newest 2 are counted" in page and "2 more" not in page


def test_lanes_tell_their_workers_and_their_queues(staff: Client) -> None:
    Worker.objects.create(name="alive", lanes=["speech", "speech", "media"])
    Worker.objects.create(name="dead", lanes=["exports"], heartbeat_at=Now() - timedelta(seconds=40))
    waiting, running, later = make_run(), make_run(), make_run()
    PipelineRun.objects.filter(pk=waiting.pk).update(available_at=Now() - timedelta(minutes=3))
    PipelineRun.objects.filter(pk=running.pk).update(status="RUNNING", attempt=1)
    PipelineRun.objects.filter(pk=later.pk).update(available_at=Now() + timedelta(minutes=3))
    shown = panel(staff, "Workers and queues")
    assert [worker.name for worker in shown["workers"]] == ["alive"]
    lanes = {lane["name"]: lane for lane in shown["lanes"]}
    assert (lanes["speech"]["threads"], lanes["exports"]["threads"]) == (2, 0)
    queue = lanes[waiting.lane]["queue"]
    assert (queue.waiting, queue.running, lanes[waiting.lane]["wait"]) == (1, 1, "3 min")


def test_stored_bytes_are_summed_and_of_many_rows_estimated(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()
    sizes = [Artifact(job=job, kind="video", version=n, size_bytes=1000) for n in range(2000)]
    Artifact.objects.bulk_create(sizes)
    assert str(estimate_sum(Artifact, "size_bytes")) == "2,000,000"
    monkeypatch.setattr(counts, "MAX_PAGES", 10)
    estimate = estimate_sum(Artifact, "size_bytes")
    assert estimate.manner == "about" and 1_000_000 < estimate.number < 4_000_000
    shown = panel(staff, "Storage")
    assert shown["disk"].size >= shown["disk"].used > 0
    assert {line["label"] for line in shown["lines"]} == {
        "Recordings, transcripts and drafts",
        "Pictures",
        "Exports",
    }


def test_a_bucket_has_no_disk_to_fill(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.storage.file_system.FileStorage.disk", S3Storage.disk)
    assert "Files lie in a bucket" in staff.get("/admin/").content.decode()


def test_a_panel_is_shown_to_those_who_may_view_its_model(staff: Client) -> None:
    user = User.objects.create_user("viewer", is_staff=True)
    client = Client()
    client.force_login(user)
    make_run()
    PipelineRun.objects.update(available_at=Now() - timedelta(minutes=11))
    Job.objects.update(updated_at=Now() - timedelta(days=1))

    def titles() -> set[str]:
        shown = client.get("/admin/").context["front_panels"]
        return {each["panel"].title for each in shown}

    assert titles() == {each.title for each in FRONT_PANELS if not each.permission}
    assert not panel(client, "What is stuck") and not panel(client, "Storage")["lines"]
    user.user_permissions.add(Permission.objects.get(codename="view_export"))
    assert "Last exports" in titles() and "Jobs by state and age" not in titles()
    assert [line["label"] for line in panel(client, "Storage")["lines"]] == ["Exports"]
    user.user_permissions.add(Permission.objects.get(codename="view_pipelinerun"))
    assert len(panel(client, "What is stuck")) == 1


def test_the_statements_of_the_page_do_not_grow(staff: Client, django_assert_num_queries: Any) -> None:
    for _ in range(3):
        make_export(make_job(JobStatus.EDITING))
    staff.get("/admin/")
    with django_assert_num_queries(19):
        staff.get("/admin/")
