"""The way in and out of the workspace, by a token of the API, and what its session opens and does not."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from django.test import Client

from config.accounts.models import User
from config.accounts.services import create_api_token, revoke_api_token
from config.web import session
from config.work.sweep import sweep
from tests.errors import assert_shape
from tests.factories import make_job, make_token, make_user
from tests.web.reader import Reader

pytestmark = pytest.mark.django_db


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def csrf_secret(reader: Reader) -> str:
    return str(reader.client.cookies[configured.CSRF_COOKIE_NAME].value).partition(":")[0]


def test_a_jwt_signs_in_and_leads_to_the_jobs() -> None:
    reader = Reader()
    answer = reader.sign_in(make_token("owner"))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/jobs")
    assert "owner" in reader.page("/jobs")


def test_an_api_token_signs_in_with_blanks_around_it() -> None:
    _, value = create_api_token(user=make_user(), name="pages")
    reader = Reader()
    assert reader.sign_in(f" {value}\n").status_code == 302
    assert reader.get("/jobs").status_code == 200


@pytest.mark.parametrize("path", ["/jobs", "/jobs?state=running", "/jobs/an-id", "/jobs/an-id/cancel"])
def test_a_stranger_is_led_to_the_sign_in_and_back(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    reader = Reader()
    form = reader.page(answer.headers["Location"])
    assert f'name="next" value="{path}"' in form
    assert reader.sign_in(make_token("owner"), next=path).headers["Location"] == path


@pytest.mark.parametrize(
    "target", ["", "//evil.example", "https://evil.example/jobs/", "/admin/", "/jobsx", "javascript:1"]
)
def test_sign_in_leads_to_pages_of_the_workspace_only(target: str) -> None:
    assert Reader().sign_in(make_token("owner"), next=target).headers["Location"] == "/jobs"


@pytest.mark.parametrize(
    "token", ["", "swt_" + "x" * 43, "odd", "a" * 9000, make_token("owner", secret="another secret " * 3)]
)
def test_a_wrong_token_is_told_and_not_shown_again(token: str) -> None:
    reader = Reader()
    answer = reader.sign_in(token)
    page = answer.content.decode()
    assert answer.status_code == 401 and 'role="alert"' in page
    assert not token or token not in page
    assert reader.get("/jobs").status_code == 302


@pytest.mark.parametrize("seconds", [-60, -10])
def test_an_expired_jwt_does_not_sign_in_even_within_the_leeway(seconds: int) -> None:
    reader = Reader()
    answer = reader.sign_in(make_token("owner", exp=soon(seconds)))
    assert answer.status_code == 401 and "expired" in answer.content.decode()
    assert reader.get("/jobs").status_code == 302


def test_the_session_ends_when_the_jwt_does(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader()
    reader.sign_in(make_token("owner", exp=soon(100)))
    monkeypatch.setattr(session.time, "time", lambda: soon(90).timestamp())
    assert reader.get("/jobs").status_code == 200
    monkeypatch.setattr(session.time, "time", lambda: soon(101).timestamp())
    assert reader.get("/jobs").status_code == 302
    assert not Session.objects.exists()


def test_the_session_ends_after_twelve_hours_whatever_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader()
    reader.sign_in(make_token("owner", exp=soon(7 * 24 * 3600)))
    assert reader.get("/jobs").status_code == 200
    monkeypatch.setattr(session.time, "time", lambda: soon(12 * 3600 + 1).timestamp())
    assert reader.get("/jobs").status_code == 302


def test_a_revoked_api_token_ends_its_sessions_at_the_next_request() -> None:
    token, value = create_api_token(user=make_user(), name="pages")
    reader = Reader()
    reader.sign_in(value)
    revoke_api_token(token=token)
    assert reader.get("/jobs").status_code == 302
    assert not Session.objects.exists()


@pytest.mark.parametrize("by_api_token", [True, False])
def test_a_user_who_is_switched_off_is_out_at_the_next_request(by_api_token: bool) -> None:
    user = make_user()
    reader = Reader()
    token = create_api_token(user=user, name="pages")[1] if by_api_token else make_token(user.subject)
    assert reader.sign_in(token).status_code == 302
    User.objects.update(is_active=False)
    assert reader.get("/jobs").status_code == 302
    User.objects.update(is_active=True)
    assert reader.get("/jobs").status_code == 302, "the session is gone, not only refused"


def test_the_session_of_a_staff_user_does_not_open_the_admin() -> None:
    user = make_user()
    User.objects.update(is_staff=True, is_superuser=True)
    reader = Reader(user)
    assert reader.get("/jobs").status_code == 200
    assert reader.get("/admin/").headers["Location"].startswith("/admin/login/")


def test_the_session_does_not_open_the_api() -> None:
    reader = Reader(make_user())
    assert_shape(reader.get("/api/v1/jobs"), 401, "UNAUTHENTICATED")


def test_a_session_of_the_admin_does_not_open_the_pages_and_outlives_them() -> None:
    reader = Reader()
    reader.client.force_login(
        User.objects.create_superuser("admin"), "django.contrib.auth.backends.ModelBackend"
    )
    assert reader.get("/jobs").status_code == 302
    assert reader.sign_in(make_token("owner")).status_code == 302
    assert reader.get("/admin/").status_code == reader.get("/jobs").status_code == 200
    assert reader.send("/sign-out", form_of="/jobs").status_code == 302
    assert reader.get("/jobs").status_code == 302 and reader.get("/admin/").status_code == 200


def test_signing_in_and_out_changes_the_id_of_the_session() -> None:
    reader, name = Reader(), configured.SESSION_COOKIE_NAME
    reader.page("/sign-in")
    secret = csrf_secret(reader)
    reader.sign_in(make_token("owner"))
    assert csrf_secret(reader) != secret, "nor is a form taken that was given out before"
    first = reader.client.cookies[name].value
    reader.sign_in(make_token("stranger"))
    second = reader.client.cookies[name].value
    assert first != second and "stranger" in reader.page("/jobs")
    reader.send("/sign-out", form_of="/jobs")
    assert not Session.objects.exists()
    reader.client.cookies[name] = first
    assert reader.get("/jobs").status_code == 302


def test_the_cookie_is_not_for_scripts() -> None:
    reader = Reader(make_user())
    cookie = reader.client.cookies[configured.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
def test_a_form_that_is_not_ours_is_refused_with_a_page(path: str) -> None:
    reader = Reader(make_user())
    answer = reader.client.post(path, {"token": make_token("stranger")})
    page = answer.content.decode()
    assert answer.status_code == 403 and "Nothing was done" in page and "To your jobs" in page
    assert "owner" in reader.page("/jobs")


def test_a_form_of_the_admin_that_is_not_ours_gets_the_admins_page() -> None:
    answer = Reader().client.post("/admin/login/", {"username": "admin"})
    page = answer.content.decode()
    assert answer.status_code == 403 and "Nothing was done" in page and 'href="/admin/"' in page


@pytest.mark.parametrize(("method", "path"), [("PUT", "/sign-in"), ("GET", "/sign-out"), ("PUT", "/jobs")])
def test_another_method_gets_a_page_that_says_so(method: str, path: str) -> None:
    client = Client()
    client.cookies = Reader(make_user()).client.cookies
    answer = client.generic(method, path)
    assert answer.status_code == 405 and answer.content.startswith(b"<!doctype html>")


def test_a_token_in_the_address_is_not_looked_at() -> None:
    reader = Reader()
    answer = reader.get(f"/sign-in?token={make_token('owner')}")
    assert answer.status_code == 200 and reader.get("/jobs").status_code == 302


def test_after_too_many_wrong_tokens_the_address_has_to_wait(settings: Any) -> None:
    settings.UNAUTHENTICATED_RATE = (3, 3600)
    reader = Reader()
    assert [reader.sign_in(f"wrong {n}").status_code for n in range(4)] == [401, 401, 401, 429]
    refused = reader.sign_in(make_token("owner"))
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0
    assert "Too many requests" in refused.content.decode()
    assert Reader(address="192.0.2.2").sign_in(make_token("owner")).status_code == 302
    answer = reader.client.get("/api/v1/jobs", headers={"authorization": "Bearer wrong"})
    assert answer.status_code == 429, "the API counts the same tries"


def test_sign_in_and_pages_count_as_requests_of_the_user(settings: Any) -> None:
    settings.THROTTLE_RATE = (3, 3600)
    reader = Reader(make_user("counted"))
    assert [reader.get("/jobs").status_code for _ in range(3)] == [200, 200, 429]
    page = reader.get("/jobs")
    assert "Too many requests" in page.content.decode() and int(page.headers["Retry-After"]) > 0
    assert Reader().sign_in(make_token("counted")).status_code == 429
    assert Session.objects.count() == 1, "who has a token cannot fill the table"
    assert reader.send("/sign-out", form_of="/sign-in").status_code == 302


def test_no_token_is_stored_logged_or_shown(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", "django", "config"):
        caplog.set_level(logging.DEBUG, name)
    _, value = create_api_token(user=make_user(), name="pages")
    for token in (value, make_token("owner")):
        reader = Reader()
        reader.sign_in(token)
        make_job(owner=make_user())
        seen = reader.page("/jobs") + caplog.text + str(list(Session.objects.values()))
        seen += str([found.get_decoded() for found in Session.objects.all()])
        assert token not in seen and "ends" in seen


def test_a_part_of_a_page_sends_who_was_signed_out_to_the_sign_in() -> None:
    answer = Client().get("/jobs/rows", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"], answer.content) == (401, "/sign-in", b"")


def test_the_sweep_deletes_the_sessions_that_are_over() -> None:
    for user in ("owner", "stranger"):
        Reader(make_user(user))
    over, going = Session.objects.order_by("pk")
    Session.objects.filter(pk=over.pk).update(expire_date=soon(-1))
    sweep()
    assert Session.objects.get() == going
