"""Lists of the admin as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from config.accounts.models import User
from config.admin import csv_lists
from jobs.models import Job
from jobs.states import JobStatus
from tests.factories import make_many_jobs, make_project

pytestmark = pytest.mark.django_db
LIST = "/admin/jobs/project/"


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def rows(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode()
    return list(csv.reader(io.StringIO(text)))


def test_a_list_is_sent_as_long_as_it_is(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lists, "ROWS", 100)
    make_many_jobs(make_project(), 250)
    answer = staff.get("/admin/jobs/job/csv/")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="jobs.csv"'
    labels, *found = rows(answer)
    newest_first = [str(job) for job in Job.objects.order_by("-pk")]
    assert len(labels) == len(found[0]) and [row[labels.index("job")] for row in found] == newest_first


def test_its_filters_and_search_hold(staff: Client) -> None:
    project = make_project()
    make_many_jobs(project, 3)
    make_many_jobs(project, 2, JobStatus.DONE)
    assert len(rows(staff.get("/admin/jobs/job/csv/?status__exact=DONE"))) == 1 + 2
    newest = Job.objects.latest("pk")
    assert len(rows(staff.get(f"/admin/jobs/job/csv/?q={newest.pk}"))) == 1 + 1
    page = staff.get("/admin/jobs/job/?status__exact=DONE").content.decode()
    assert 'href="csv/?status__exact=DONE"' in page


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@a", "\tx", '="a"', "=HYPERLINK(1)"])
def test_no_cell_is_a_formula(staff: Client, name: str) -> None:
    project = make_project()
    type(project).objects.filter(pk=project.pk).update(name=name)
    _, found = rows(staff.get(LIST + "csv/"))
    assert found[0] == f"'{name}"


def test_who_may_not_look_gets_no_file(staff: Client) -> None:
    user = User.objects.create_user("other", is_staff=True)
    client = Client()
    client.force_login(user)
    assert client.get("/admin/jobs/job/csv/").status_code == 404
    user.user_permissions.add(Permission.objects.get(codename="view_job"))
    assert client.get("/admin/jobs/job/csv/").status_code == 200
    assert Client().get("/admin/jobs/job/csv/").status_code == 302
