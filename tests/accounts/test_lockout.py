"""Wrong passwords in the admin, and forms that this service never gave out."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings as configured
from django.core.management import call_command
from django.db.models import F
from django.test import Client

from config.accounts import lockout
from config.accounts.models import User
from tests.accounts.forms import LOGIN, PASSWORD, Browser, CountingHasher


@pytest.fixture(autouse=True)
def hashed(db: None, settings: Any) -> Iterator[type[CountingHasher]]:
    settings.PASSWORD_HASHERS = [f"{CountingHasher.__module__}.CountingHasher"]
    User.objects.create_superuser("admin", password=PASSWORD)
    User.objects.create_superuser("grace", password=PASSWORD)
    CountingHasher.hashed = 0
    yield CountingHasher


def fail(times: int, name: str = "admin", browser: Browser | None = None) -> list[int]:
    browser = browser or Browser()
    return [browser.sign_in(name, f"wrong {n}").status_code for n in range(times)]


def test_the_fifth_wrong_password_locks_the_name_there(hashed: type[CountingHasher]) -> None:
    assert fail(6) == [200] * 4 + [429] * 2
    assert hashed.hashed == 5, "the sixth was refused before a hash"
    refused = Browser().sign_in("admin", PASSWORD)
    assert refused.status_code == 429 and hashed.hashed == 5
    assert refused.headers["Retry-After"] == "900"
    page = refused.content.decode()
    assert "Wait 15 minutes" in page and "axes_reset_username" in page and PASSWORD not in page


def test_the_locked_name_still_signs_in_from_elsewhere() -> None:
    fail(5)
    assert Browser("192.0.2.2").sign_in("admin", PASSWORD).status_code == 302
    assert Browser().sign_in("grace", PASSWORD).status_code == 302, "another name from there too"


def test_twenty_wrong_passwords_for_many_names_lock_the_address(hashed: type[CountingHasher]) -> None:
    browser = Browser()
    answers = [browser.sign_in(f"user{n}", "wrong").status_code for n in range(21)]
    assert answers == [200] * 19 + [429] * 2 and hashed.hashed == 20
    assert Browser().sign_in("grace", PASSWORD).status_code == 429
    assert Browser("192.0.2.2").sign_in("grace", PASSWORD).status_code == 302


def test_a_browser_that_calls_itself_otherwise_is_counted_on() -> None:
    browser = Browser()
    answers = [
        browser.sign_in("admin", "wrong", headers={"user-agent": f"agent {n}"}).status_code for n in range(5)
    ]
    assert answers[-1] == 429


def test_an_ipv6_subscriber_is_one_address() -> None:
    assert [fail(1, browser=Browser(f"2001:db8:1:2::{n}"))[0] for n in range(1, 6)][-1] == 429
    assert fail(1, browser=Browser("2001:db8:1:3::1")) == [200]


def test_a_quarter_of_an_hour_later_the_lock_is_gone() -> None:
    fail(5)
    rest = timedelta(minutes=15, seconds=1)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - rest + timedelta(minutes=1))
    assert Browser().sign_in("admin", PASSWORD).status_code == 429
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=1))
    assert Browser().sign_in("admin", PASSWORD).status_code == 302


def test_tries_during_the_lock_do_not_lengthen_it() -> None:
    fail(5)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=10))
    fail(3)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=5, seconds=1))
    assert Browser().sign_in("admin", PASSWORD).status_code == 302


def test_signing_in_forgets_the_names_failures_and_not_the_addresss() -> None:
    fail(4)
    assert Browser().sign_in("admin", PASSWORD).status_code == 302
    assert fail(4) == [200] * 4
    for n in range(15):
        assert fail(1, f"user{n}") == [200]
    assert Browser().sign_in("grace", PASSWORD).status_code == 302
    assert fail(2, "another") == [429, 429], "grace's sign-in did not reset the address"


@pytest.mark.parametrize(
    "command", [["axes_reset"], ["axes_reset_username", "admin"], ["axes_reset_ip", "192.0.2.1"]]
)
def test_an_operator_lifts_the_lock(command: list[str]) -> None:
    fail(5)
    call_command(*command)
    assert Browser().sign_in("admin", PASSWORD).status_code == 302


def test_nothing_that_was_typed_is_stored_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("axes", "django"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    browser = Browser()
    tokens = [browser.open() for _ in range(5)]
    for token in tokens:
        browser.send("admin", "the typed password", token)
    stored = str(list(AccessAttempt.objects.values()))
    assert "admin" in stored
    for secret in ("the typed password", *tokens, browser.client.cookies[configured.CSRF_COOKIE_NAME].value):
        assert secret not in stored and secret not in caplog.text
    assert not AccessLog.objects.exists() and not AccessFailureLog.objects.exists()


def test_an_unknown_name_costs_and_says_what_a_known_one_does(hashed: type[CountingHasher]) -> None:
    User.objects.create_user("plain", password=PASSWORD)
    User.objects.create_user("gone", password=PASSWORD, is_active=False, is_staff=True)
    User.objects.provision(issuer="i", subject="s")
    told, costs = set(), set()
    provisioned = User.objects.get(subject="s").username
    for n, name in enumerate(("admin", "nobody", "plain", "gone", provisioned)):
        browser = Browser(f"192.0.2.{n + 1}")
        before = hashed.hashed
        page = browser.sign_in(name, "wrong").content.decode()
        costs.add(hashed.hashed - before)
        page = re.sub(r'value="[^"]*"|nonce="[^"]*"', "", page)
        told.add(page)
    assert costs == {1} and len(told) == 1


MADE_UP = "a" * 32


@pytest.mark.parametrize("cookie", [None, MADE_UP, f"{MADE_UP}:1vNabc:{'x' * 43}"])
def test_a_form_that_was_never_given_out_costs_no_hash(
    hashed: type[CountingHasher], cookie: str | None
) -> None:
    browser = Browser()
    if cookie:
        browser.client.cookies[configured.CSRF_COOKIE_NAME] = cookie
    answer = browser.send("admin", PASSWORD, MADE_UP)
    assert answer.status_code == 403 and hashed.hashed == 0
    assert "Open the page again" in answer.content.decode()


def test_a_form_of_yesterday_costs_no_hash(hashed: type[CountingHasher], settings: Any) -> None:
    browser = Browser()
    token = browser.open()
    settings.CSRF_COOKIE_AGE = -1
    assert browser.send("admin", PASSWORD, token).status_code == 403 and hashed.hashed == 0


def test_the_cookie_is_not_for_scripts_and_ends_with_the_day() -> None:
    browser = Browser()
    browser.sign_in("admin", PASSWORD)
    for name in (configured.CSRF_COOKIE_NAME, configured.SESSION_COOKIE_NAME):
        cookie = browser.client.cookies[name]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        assert cookie["max-age"] == 12 * 3600


def test_a_large_sign_in_form_is_refused_before_a_hash(hashed: type[CountingHasher]) -> None:
    browser = Browser()
    token = browser.open()
    assert browser.send("admin", "p" * 2**20, token).status_code == 413 and hashed.hashed == 0
    assert browser.send("admin", "p" * 4096, token).status_code == 200 and hashed.hashed == 1


def test_the_limits_and_the_settings_of_the_library_agree() -> None:
    assert (configured.AXES_FAILURE_LIMIT, configured.AXES_COOLOFF_TIME) == (lockout.NAME_LIMIT, lockout.REST)


def test_a_stranger_makes_no_session_by_opening_the_page() -> None:
    client = Client()
    assert client.get(LOGIN).status_code == 200
    assert set(client.cookies) == {configured.CSRF_COOKIE_NAME}


def test_who_opens_the_sign_in_page_by_itself_comes_to_the_front_page() -> None:
    browser = Browser()
    form = {"username": "admin", "password": PASSWORD, "csrfmiddlewaretoken": browser.open()}
    assert browser.client.post(LOGIN, form).headers["Location"] == "/admin/"
