"""The list of jobs: what it shows, its filters, and the search by whatever support is given."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from config.accounts.models import User
from jobs.admin.filters import failure_code_of_job
from jobs.models import Dispatch, Job
from jobs.states import JobStatus
from tests.callbacks import send
from tests.factories import force, make_anchor, make_asset, make_job, make_many_jobs, make_project, make_user

pytestmark = pytest.mark.django_db
JOBS = "/admin/jobs/job/"


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def found(staff: Client, **query: str) -> set[Job]:
    answer = staff.get(JOBS, query)
    assert answer.status_code == 200
    return set(answer.context["cl"].result_list)


def failed(code: str) -> Job:
    job = make_job(JobStatus.TRANSCRIBING)
    failure = {"failure_code": code, "failure_message": "It broke.", "failed_stage": "TRANSCRIBING"}
    assert send(job, "FAILED", **failure).status_code == 204
    return Job.objects.get(pk=job.pk)


def test_a_row_says_what_support_asks_first(staff: Client) -> None:
    job = failed("ODD")
    (shown,) = staff.get(JOBS).context["cl"].result_list
    assert shown.changed_at == job.events.latest("id").recorded_at and shown.dispatched == 1
    page = staff.get(JOBS).content.decode()
    assert str(job) in page and "ODD" in page and "FAILED" in page


def test_jobs_are_filtered_by_their_failure(staff: Client) -> None:
    odd, other = failed("ODD"), failed("OTHER")
    make_job()
    page = staff.get(JOBS).content.decode()
    assert "failure_code=ODD" in page and "failure_code=OTHER" in page
    assert found(staff, failure_code="ODD") == {odd} and found(staff, failure_code="OTHER") == {other}
    assert found(staff, failure_code="NONE") == set()


def test_jobs_that_are_stuck_are_found(staff: Client) -> None:
    stuck, _, done = (
        make_job(JobStatus.TRANSCRIBING),
        make_job(JobStatus.GENERATING),
        make_job(JobStatus.DONE),
    )
    long_ago = timezone.now() - timedelta(hours=1)
    Job.objects.filter(pk__in=[stuck.pk, done.pk]).update(updated_at=long_ago)
    assert found(staff, stuck="1") == {stuck}


def test_jobs_are_filtered_by_the_time_at_which_they_were_made(staff: Client) -> None:
    job = make_job()
    assert found(staff, period="1") == {job} and found(staff, period="odd") == {job}


def test_any_id_or_uri_of_a_job_finds_it(staff: Client) -> None:
    make_job(JobStatus.EDITING, owner=make_user("other"))
    job = make_job(JobStatus.EDITING)
    anchor = make_anchor(job)
    asset = make_asset(job, anchor=anchor)
    version = job.instruction.versions.get()
    ids = [job.pk, job.project_id, job.owner_id, job.instruction_id, anchor.pk, asset.pk, version.pk]
    ids += [Dispatch.objects.filter(job=job).latest("pk").pk, job.events.latest("pk").pk]
    for term in (*map(str, ids), job.manifest["video_uri"], asset.uri, "owner", f"  {job.pk} "):
        assert found(staff, q=term) == {job}, term
    for term in ("nobody", "01a21b03-a9ef-7589-b87c-8f7fe67dea96", "%", "x" * 3000):
        assert found(staff, q=term) == set(), term


def test_a_file_of_jobs_has_their_ids_too(staff: Client) -> None:
    job = failed("ODD")
    text = b"".join(staff.get(f"{JOBS}csv/").streaming_content).decode()
    labels, row = csv.reader(io.StringIO(text))
    told = dict(zip(labels, row, strict=True))
    assert (told["id"], told["State"], told["Failure code"]) == (str(job.pk), "FAILED", "ODD")


def test_an_index_serves_the_filter_by_failure(staff: Client) -> None:
    make_many_jobs(make_project(), 3000)
    force(make_job(), JobStatus.FAILED)
    rows = Job.objects.filter(status="FAILED").alias(code=failure_code_of_job()).filter(code="ODD")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job")
    assert "failed_jobs_by_code" in rows.order_by("-pk")[:101].explain()


def test_a_list_takes_the_same_statements_for_any_number_of_rows(
    staff: Client, django_assert_num_queries: Any
) -> None:
    make_many_jobs(make_project(), 20)
    staff.get(JOBS)
    with django_assert_num_queries(5):
        staff.get(JOBS)


def test_times_are_written_so_that_they_sort(staff: Client) -> None:
    made = make_job().created_at
    assert f"{made:%Y-%m-%d %H:%M:%S}" in staff.get(JOBS).content.decode()
