"""Lists of the admin name the rows that theirs belong to, with links to their pages, and ask for them at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from config.accounts.models import User
from jobs.states import JobStatus
from tests.factories import make_asset, make_export, make_job, make_regenerate_task, make_screenshot_task

pytestmark = pytest.mark.django_db
LISTS = [
    "instructions/instruction",
    "instructions/instructionversion",
    "instructions/regeneratetask",
    "anchors/asset",
    "anchors/screenshottask",
    "exports/export",
]


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def make_rows() -> Any:
    job = make_job(JobStatus.EDITING, title="Pay <b>bills</b>")
    make_asset(job), make_screenshot_task(job), make_regenerate_task(job), make_export(job)
    return job


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_names_the_job_by_its_title_with_a_link(staff: Client, kind: str) -> None:
    job = make_rows()
    shown = staff.get(f"/admin/{kind}/").content.decode()
    named = f"Pay &lt;b&gt;bills&lt;/b&gt; · {str(job.pk)[-6:]}"
    assert f'<a href="/admin/jobs/job/{job.pk}/change/" class="text-link">{named}</a>' in shown
    lines = b"".join(staff.get(f"/admin/{kind}/csv/")).decode()  # type: ignore[call-overload]
    assert f'"Pay <b>bills</b> · {str(job.pk)[-6:]}"' in lines and "text-link" not in lines


@pytest.mark.parametrize("kind", LISTS)
def test_more_rows_take_no_more_statements(
    staff: Client, kind: str, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    make_rows()
    staff.get(f"/admin/{kind}/")
    with django_assert_max_num_queries(30) as few:
        staff.get(f"/admin/{kind}/")
    for _ in range(3):
        make_rows()
    with django_assert_num_queries(len(few.captured_queries)):
        staff.get(f"/admin/{kind}/")
