"""The page of a job, which tells what happened to it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from config.accounts.models import User
from jobs.admin.story import MAX_EVENTS, read_story
from jobs.models import Job
from jobs.services.audit import by_editor, by_staff, by_system, record_event
from jobs.services.jobs import cancel_job
from jobs.states import JobStatus
from jobs.templatetags.jobs_story import shortly
from tests.callbacks import send
from tests.contract import STATUSES
from tests.factories import make_job, make_run, make_screenshot_task, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def shown(client: Client, job: Job) -> str:
    answer = client.get(f"/admin/jobs/job/{job.pk}/change/")
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize("status", STATUSES)
def test_every_state_has_a_page_that_says_what_happens_now(staff: Client, status: str) -> None:
    job = make_job(JobStatus(status), title="Send an <invoice>")
    page = shown(staff, job)
    assert read_story(job).now in page and status in page
    assert "Send an &lt;invoice&gt;" in page and "<invoice>" not in page


def test_spans_of_states_follow_one_another_on_one_axis() -> None:
    job = make_job(JobStatus.TRANSCRIBING)
    spans = read_story(job).lanes["States"]
    assert [span.label for span in spans][-3:] == ["AUDIO_EXTRACTING", "AUDIO_READY", "TRANSCRIBING"]
    for before, after in zip(spans, spans[1:], strict=False):
        assert before.ended_at == after.began_at
    assert spans[-1].ended_at is None
    assert all(0 <= span.left <= 100 and span.left + span.width <= 100.01 for span in spans)


def test_work_of_every_app_has_a_lane() -> None:
    job = make_job(JobStatus.EDITING)
    make_screenshot_task(job)
    assert {"States", "Dispatch", "Screenshot task"} <= set(read_story(job).lanes)
    assert "Pipeline run" in read_story(make_run().job).lanes


def test_a_failure_is_told_with_its_code_and_stage(staff: Client) -> None:
    job = make_job(JobStatus.TRANSCRIBING)
    failure = {"failure_code": "ODD", "failure_message": "It broke.", "failed_stage": "TRANSCRIBING"}
    assert send(job, "FAILED", **failure).status_code == 204
    page = shown(staff, Job.objects.get(pk=job.pk))
    assert "ODD" in page and "It broke." in page and "in TRANSCRIBING" in page


def test_what_staff_did_is_told_with_the_reason(staff: Client) -> None:
    job = cancel_job(job_id=make_job(JobStatus.EDITING).pk, by=by_staff(make_user("support"), "Ticket 4711"))
    assert "Ticket 4711" in shown(staff, job)


def test_a_callback_stands_once_beside_what_it_changed() -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING)
    assert send(job, "AUDIO_READY").status_code == 204
    told = [moment for moment in read_story(job).moments if "AUDIO_READY" in str(moment)]
    assert len(told) == 1


def test_a_long_story_shows_its_newest_events(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job()
    for number in range(MAX_EVENTS + 5):
        record_event(job, f"ODD_{number}", by=by_system("c"))
    moments = read_story(job).moments
    assert len(moments) == MAX_EVENTS and moments[-1].title == f"Odd {MAX_EVENTS + 4}"


def test_an_event_names_who_did_it(staff: Client) -> None:
    job = make_job()
    record_event(job, "ODD", by=by_editor(job.owner))
    assert read_story(job).moments[-1].by == f"editor {job.owner}"
    assert f"editor {job.owner}" in shown(staff, job)


def test_a_correlation_id_says_what_first_had_it(staff: Client) -> None:
    job = make_job()
    for event, correlation_id in (("FIRST", "a"), ("SECOND", "b"), ("THIRD", "a")):
        record_event(job, event, by=by_system(correlation_id))
    assert list(read_story(job).correlation_ids.items())[:2] == [("b", "Second"), ("a", "First")]


def test_events_of_one_kind_that_follow_each_other_are_one(staff: Client) -> None:
    job = make_job()
    for number in range(4):
        record_event(job, "SCREENSHOT_REQUESTED", by=by_system("c"), data={"number": number})
    record_event(job, "ODD", by=by_system("c"))
    record_event(job, "SCREENSHOT_REQUESTED", by=by_system("c"), data={"number": 4})
    first, _, last = read_story(job).moments[-3:]
    assert [dict(each.facts)["number"] for each in (first, *first.same)] == ["0", "1", "2", "3"]
    assert dict(last.facts) == {"number": "4"} and not last.same
    assert "and 3 more of these" in shown(staff, job)


def test_the_statements_of_a_page_do_not_grow_with_the_story(
    staff: Client, django_assert_num_queries: Any
) -> None:
    job = make_job(JobStatus.EDITING)
    for number in range(40):
        record_event(job, f"ODD_{number}", by=by_system("c"))
    shown(staff, job)
    with django_assert_num_queries(21):
        shown(staff, job)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0.00 s"),
        (9.994, "9.99 s"),
        (59, "59 s"),
        (60, "1 min 0 s"),
        (3725, "1 h 2 min"),
        (90_061, "1 d 1 h"),
    ],
)
def test_times_are_told_in_their_two_largest_units(seconds: float, told: str) -> None:
    assert shortly(timedelta(seconds=seconds)) == told


def test_a_name_that_has_no_room_in_its_span_is_told_without_being_shown(staff: Client) -> None:
    job = make_job(JobStatus.EDITING)
    page = staff.get(f"/admin/jobs/job/{job.pk}/change/").content.decode()
    spans = re.findall(r'<li class="story-span[^>]*width: ([\d.]+)%"[^>]*><span([^>]*)>', page)
    assert spans and any(float(width) < 6 for width, _ in spans)
    assert all(("story-thin" in shown) == (float(width) < 6) for width, shown in spans)
