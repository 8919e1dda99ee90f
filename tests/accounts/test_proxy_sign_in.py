"""Single sign-on to the admin, by a header of a trusted proxy."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.test import Client

from config.accounts.models import User
from tests.accounts.forms import PASSWORD, Browser
from tests.factories import make_user

pytestmark = pytest.mark.django_db
PROXY, ELSEWHERE = "10.1.2.3", "192.0.2.1"


@pytest.fixture(autouse=True)
def trusted(settings: Any) -> User:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    settings.ADMIN_SSO_META = "HTTP_X_FORWARDED_USER"
    return User.objects.create_superuser("grace", password=PASSWORD)


def ask(client: Client, name: str | None, path: str = "/admin/") -> int:
    headers = {} if name is None else {"x-forwarded-user": name}
    return client.get(path, headers=headers).status_code


def test_the_proxy_signs_in_whom_it_names() -> None:
    client = Client(REMOTE_ADDR=PROXY)
    assert ask(client, "grace") == 200 and client.session["_auth_user_id"]


@pytest.mark.parametrize("name", ["grace", "GRACE", "grace\u00a0"])
def test_the_header_of_anyone_else_counts_for_nothing(name: str) -> None:
    client = Client(REMOTE_ADDR=ELSEWHERE)
    assert ask(client, name) == 302 and "_auth_user_id" not in client.session


def test_what_a_client_claims_of_its_way_makes_it_no_proxy() -> None:
    client = Client(REMOTE_ADDR=ELSEWHERE)
    forged = {"x-forwarded-user": "grace", "x-forwarded-for": PROXY}
    assert client.get("/admin/", headers=forged).status_code == 302


def test_without_the_setting_the_header_counts_for_nothing(settings: Any) -> None:
    settings.ADMIN_SSO_META = ""
    assert ask(Client(REMOTE_ADDR=PROXY), "grace") == 302


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_only_active_staff_are_signed_in(change: dict[str, bool]) -> None:
    User.objects.filter(username="grace").update(**change)
    assert ask(Client(REMOTE_ADDR=PROXY), "grace") == 302


@pytest.mark.parametrize("name", ["nobody", "", "a\0b"])
def test_nobody_is_made_of_a_name_nor_locked_out_for_it(name: str) -> None:
    client = Client(REMOTE_ADDR=PROXY)
    assert {ask(client, name) for _ in range(25)} == {302}
    assert User.objects.count() == 1 and not AccessAttempt.objects.exists()
    assert ask(client, "grace") == 200


def test_who_is_switched_off_is_out_at_the_next_request() -> None:
    client = Client(REMOTE_ADDR=PROXY)
    assert ask(client, "grace") == 200
    User.objects.update(is_active=False)
    assert ask(client, "grace") == 302


def test_a_session_of_the_proxy_ends_where_the_header_does() -> None:
    client = Client(REMOTE_ADDR=PROXY)
    assert ask(client, "grace") == 200
    assert ask(client, None) == 302
    assert ask(client, "grace") == 200
    client.defaults["REMOTE_ADDR"] = ELSEWHERE  # past the proxy, with the cookie
    assert ask(client, "grace") == 302


def test_another_name_is_another_user() -> None:
    User.objects.create_superuser("ada")
    client = Client(REMOTE_ADDR=PROXY)
    for name in ("grace", "ada"):
        assert ask(client, name) == 200
        assert User.objects.get(pk=client.session["_auth_user_id"]).username == name


def test_a_session_by_password_goes_on_without_the_header() -> None:
    browser = Browser(PROXY)
    assert browser.sign_in("grace", PASSWORD).status_code == 302
    assert ask(browser.client, None) == 200


@pytest.mark.parametrize("path", ["/api/v1/projects", "/jobs"])
def test_neither_the_api_nor_the_pages_of_owners_know_it(path: str) -> None:
    owner = make_user()
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    client = Client(REMOTE_ADDR=PROXY)
    assert ask(client, owner.username, path) in (302, 401)
    assert "sessionid" not in client.cookies and "_auth_user_id" not in client.session
