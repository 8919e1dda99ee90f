"""What support does to work that does not go on: requeueing, on the page of every kind of work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import dramatiq
import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from anchors.models import ScreenActivity, ScreenshotTask
from config.accounts.models import User
from config.api.errors import ApiError
from config.work.models import WorkRow
from config.work.stuck import kinds
from exports.models import Export
from instructions.models import RegenerateTask
from jobs.models import Job
from jobs.services.audit import by_staff
from jobs.services.requeueing import never_again, requeue_work
from jobs.states import JobStatus
from tests.contract import STATUSES
from tests.factories import (
    force,
    make_export,
    make_job,
    make_regenerate_task,
    make_run,
    make_screenshot_task,
    make_user,
    work_off,
)
from tests.pictures import make_activity, make_redaction_run, make_search
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
REASON = {"reason": "It waits since noon, ticket 4711."}


def done_job() -> Job:
    return force(make_job(JobStatus.EDITING), JobStatus.DONE)


MAKERS: dict[str, Callable[[str], WorkRow]] = {
    "PipelineRun": lambda status: make_run(status=status),
    "RegenerateTask": lambda status: make_regenerate_task(done_job(), status=status),
    "ScreenshotTask": lambda status: make_screenshot_task(done_job(), status=status),
    "ScreenActivity": lambda status: make_activity(done_job(), status=status),
    "SensitiveSearch": lambda status: make_search(done_job(), status=status),
    "RedactionRun": lambda status: make_redaction_run(done_job(), status=status),
    "Export": lambda status: make_export(done_job(), status=status),
}
REOPENED = sorted(MAKERS.keys() - {"PipelineRun", "Export"})


@pytest.fixture
def support() -> Client:
    return signed_in("support")


def signed_in(role: str) -> Client:
    user = User.objects.create_user(f"of {role}", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


def url(row: WorkRow, page: str) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/{page}/"


def do(client: Client, row: WorkRow) -> Any:
    return client.post(url(row, "do/requeue"), REASON, follow=True)


def said(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def is_offered(client: Client, row: WorkRow) -> bool:
    offered = client.get(url(row, "change")).context["offered_actions"]
    return "requeue" in {action.name for action, _ in offered}


def status(row: WorkRow) -> str:
    return str(type(row)._default_manager.get(pk=row.pk).status)


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the rows whose lanes were told of them."""
    told: list[str] = []
    monkeypatch.setattr(dramatiq.get_broker(), "enqueue", lambda message: told.append(message.args[0]))
    return told


def test_every_kind_of_work_has_a_page_where_it_is_requeued() -> None:
    admin.autodiscover()  # as config.urls does, which nothing may have loaded yet
    pages = {kind: admin.site._registry.get(kind) for kind in kinds()}
    without = {
        kind.__name__
        for kind, page in pages.items()
        if page is None or "requeue" not in {action.name for action in page.staff_actions}
    }
    assert without == {"Dispatch"}  # which its job dispatches again
    assert {kind.__name__ for kind in pages} == {*MAKERS, "Dispatch"}


@pytest.mark.parametrize("kind", MAKERS)
def test_what_waits_is_told_to_the_workers_again(support: Client, messages: list[str], kind: str) -> None:
    row = MAKERS[kind](Export.WAITING if kind == "Export" else "PENDING")
    later = timezone.now() + timedelta(minutes=5)
    type(row)._default_manager.filter(pk=row.pk).update(available_at=later)
    assert is_offered(support, row)
    messages.clear()
    assert "is enqueued" in said(do(support, row))
    assert messages == [str(row.pk)] and status(row) == row.WAITING
    assert type(row)._default_manager.get(pk=row.pk).available_at < later
    event = row.job.events.latest("id")  # type: ignore[attr-defined]
    told = (event.event_type, event.actor_type, event.data["work_id"], event.data["reason"])
    assert told == ("WORK_REQUEUED", "staff", str(row.pk), REASON["reason"])


@pytest.mark.parametrize("kind", REOPENED)
def test_what_has_failed_is_opened_again(support: Client, messages: list[str], kind: str) -> None:
    row = MAKERS[kind]("FAILED")
    type(row)._default_manager.filter(pk=row.pk).update(
        retries=3, losses=8, attempt=4, failure_code="WORKER_LOST", available_at=Now()
    )
    assert is_offered(support, row) and "is enqueued" in said(do(support, row))
    again = type(row)._default_manager.get(pk=row.pk)
    told = (again.status, again.retries, again.losses, again.attempt, again.failure_code)
    assert told == ("PENDING", 0, 0, 4, "") and messages == [str(row.pk)]
    assert row.job.events.latest("id").data["was"] == "FAILED"  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["PipelineRun", "Export"])
def test_what_another_action_begins_again_is_not_opened(support: Client, kind: str) -> None:
    row = MAKERS[kind]("FAILED")
    assert not is_offered(support, row)
    assert "Retry its job" in said(do(support, row)) and status(row) == "FAILED"


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("now", ["RUNNING", "SUCCEEDED"])
def test_what_runs_or_is_done_is_left_alone(support: Client, kind: str, now: str) -> None:
    row = MAKERS[kind](now)
    before = row.job.events.count()  # type: ignore[attr-defined]
    assert not is_offered(support, row)
    assert f"this is {now} now" in said(do(support, row))
    assert status(row) == now and row.job.events.count() == before  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", REOPENED)
@pytest.mark.parametrize("ended", ["FAILED", "CANCELLED"])
def test_nothing_is_opened_for_a_job_that_has_ended(support: Client, kind: str, ended: str) -> None:
    row = MAKERS[kind]("FAILED")
    force(row.job, JobStatus(ended))  # type: ignore[attr-defined]
    assert not is_offered(support, row)
    assert "nothing was done" in said(do(support, row)) and status(row) == "FAILED"


@pytest.mark.parametrize("of_job", sorted({*STATUSES} - {"CREATED", "UPLOADING", "UPLOADED"}))
def test_a_rewriting_is_opened_only_where_no_status_changes(support: Client, of_job: str) -> None:
    task = make_regenerate_task(done_job(), status="FAILED")
    force(task.job, JobStatus(of_job))
    answer = said(do(support, task))
    assert (status(task) == "PENDING") == (of_job == "DONE")
    assert of_job == "DONE" or "can ask for the passage once more" in answer
    assert Job.objects.get(pk=task.job_id).status == of_job


def test_a_rewriting_of_an_older_version_is_not_opened(support: Client) -> None:
    task = make_regenerate_task(done_job(), status="FAILED")
    version = task.instruction.versions.get()
    version.pk, version.version = None, version.version + 1
    version.save(force_insert=True)
    type(task.instruction).objects.filter(pk=task.instruction_id).update(version=version.version)
    assert "nothing was done" in said(do(support, task)) and status(task) == "FAILED"


def test_a_rewriting_beside_another_is_not_opened(support: Client) -> None:
    task = make_regenerate_task(done_job(), status="FAILED")
    make_regenerate_task(task.job)
    assert "Another passage" in said(do(support, task)) and status(task) == "FAILED"


def test_a_picture_is_not_opened_beyond_the_owners_room(support: Client, monkeypatch: Any) -> None:
    task = make_screenshot_task(done_job(), status="FAILED")
    monkeypatch.setattr(ScreenshotTask, "MAX_OPEN_PER_OWNER", 0)
    assert "nothing was done" in said(do(support, task)) and status(task) == "FAILED"


def test_a_failed_rewriting_is_performed_by_a_worker(support: Client) -> None:
    task = make_regenerate_task(done_job(), status="FAILED", model_profile="extractive")
    do(support, task)
    work_off()
    again = RegenerateTask.objects.get(pk=task.pk)
    assert (again.status, again.attempt) == ("SUCCEEDED", 1)


def test_of_two_at_once_one_opens_it(messages: list[str]) -> None:
    row = make_activity(done_job(), activity=None)
    seen = [ScreenActivity.objects.get(pk=row.pk) for _ in range(2)]

    def requeue(number: int) -> str:
        by = by_staff(make_user(f"support {number}"), REASON["reason"])
        try:
            requeue_work(row=seen[number], by=by, allows=lambda job, row: None)
        except ApiError as refused:
            return refused.code
        return "opened"

    assert sorted(at_once(2, requeue)) == ["FSM_TRANSITION_INVALID", "opened"]
    assert messages == [str(row.pk)] and row.job.events.filter(event_type="WORK_REQUEUED").count() == 1


def test_what_a_worker_claims_meanwhile_is_left_to_it(messages: list[str]) -> None:
    seen = make_screenshot_task(done_job())
    assert ScreenshotTask.claim(seen.pk)
    with pytest.raises(ApiError, match="FSM_TRANSITION_INVALID"):
        requeue_work(row=seen, by=by_staff(make_user("support"), REASON["reason"]), allows=never_again)
    assert not messages and not seen.job.events.filter(event_type="WORK_REQUEUED").exists()


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("role", ["auditor", "operator"])
def test_it_wants_a_permission_which_auditors_lack(messages: list[str], kind: str, role: str) -> None:
    row, client = MAKERS[kind](Export.WAITING if kind == "Export" else "PENDING"), signed_in(role)
    messages.clear()
    may = role == "operator"
    assert is_offered(client, row) == may
    assert do(client, row).status_code == (200 if may else 404)
    assert bool(messages) == may
