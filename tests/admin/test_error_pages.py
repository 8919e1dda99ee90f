"""Errors under /admin/: a page for browsers, and the API's JSON for all others and everywhere else."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from config.accounts.models import User
from tests.errors import assert_shape
from tests.factories import make_job

BROWSER = {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "x-request-id": "of-this-test",
}


@pytest.fixture
def staff(db: None) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("admin"))
    return client


def assert_is_page(answer: Any, status: int, said: str) -> None:
    assert answer.status_code == status
    page = answer.content.decode()
    assert answer.headers["Content-Type"].startswith("text/html") and said in page
    assert "of-this-test" in page and 'href="/admin/"' in page
    assert answer.headers["X-Request-ID"] == "of-this-test" and "Accept" in answer.headers["Vary"]
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def break_the_front_page(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(request: Any, context: Any) -> Any:
        raise error

    monkeypatch.setattr("config.admin.front.front_page", fail)


@pytest.mark.parametrize("path", ["/admin/nowhere/", "/admin/jobs/job/x/do/nothing/", "/admin/jobs/job/1"])
def test_what_is_not_there_is_told_on_a_page(staff: Client, path: str) -> None:
    assert_is_page(staff.get(path, headers=BROWSER), 404, "There is nothing here")
    assert_shape(staff.get(path), 404, "RESOURCE_NOT_FOUND")
    assert_shape(staff.get(path, headers={"accept": "application/json"}), 404, "RESOURCE_NOT_FOUND")


def test_what_staff_may_not_do_is_told_on_a_page(staff: Client) -> None:
    job, client = make_job(), Client()
    client.force_login(User.objects.create_user("bare", is_staff=True))
    path = f"/admin/jobs/job/{job.pk}/do/cancel/"
    assert_is_page(client.get(path, headers=BROWSER), 403, "You may not do this")
    assert_is_page(client.post(path, {"reason": "x"}, headers=BROWSER), 403, "You may not do this")
    assert_shape(client.get(path), 404, "RESOURCE_NOT_FOUND")


def test_a_mistake_of_ours_is_told_on_a_page_without_its_words(
    staff: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    break_the_front_page(monkeypatch, RuntimeError("a secret"))
    answer = staff.get("/admin/", headers=BROWSER)
    assert_is_page(answer, 500, "Something went wrong")
    assert "a secret" not in answer.content.decode() and "a secret" in caplog.text
    assert_shape(staff.get("/admin/"), 500, "INTERNAL_ERROR")


def test_the_page_of_a_database_that_is_away_asks_it_nothing(staff: Client) -> None:
    def refuse(*args: Any) -> Any:
        raise OperationalError("gone")

    with connection.execute_wrapper(refuse):
        answer = staff.get("/admin/", headers=BROWSER)
    assert_is_page(answer, 503, "This cannot be reached now")


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/administration/"])
def test_elsewhere_a_browser_gets_json_as_before(staff: Client, path: str) -> None:
    answer = staff.get(path, headers=BROWSER)
    assert answer.status_code in (401, 404) and answer.headers["Content-Type"] == "application/json"
