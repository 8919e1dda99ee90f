"""The second factor of staff: set up, asked for, given by app or recovery code, required, and taken away."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.accounts.models import User
from tests.accounts.forms import PASSWORD, Browser
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/admin/second-factor/"


@pytest.fixture
def grace() -> User:
    return User.objects.create_superuser("grace", password=PASSWORD)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def code_of(user: User, *, ahead: int = 0) -> str:
    """The code that the user's app shows; that of later steps, as each is taken once."""
    device = TOTPDevice.objects.get(user=user)
    return f"{totp(device.bin_key, drift=ahead):06}"


def set_up(user: User) -> list[str]:
    """Set it up in a session of its own; answers the recovery codes."""
    client = signed_in(user)
    client.get(PAGE)
    page = client.post(PAGE, {"code": code_of(user)}).content.decode()
    return re.findall(r"<li><code>([a-z2-7]{16})</code>", page)


def give(client: Client, code: str) -> bool:
    """Whether the code lets the session go on."""
    client.post(PAGE, {"code": code})
    return client.get("/admin/").status_code == 200


def test_it_is_set_up_with_the_first_code_of_an_app(grace: User) -> None:
    client = signed_in(grace)
    page = client.get(PAGE).content.decode()
    assert 'src="data:image/svg+xml' in page and "<script>" not in page
    assert client.get(PAGE).content.decode().count(TOTPDevice.objects.get().config_url) == 0
    assert len(set_up(grace)) == 10 and TOTPDevice.objects.get(user=grace).confirmed


def test_a_wrong_first_code_sets_nothing_up(grace: User) -> None:
    client = signed_in(grace)
    client.get(PAGE)
    right = code_of(grace)
    assert "no code that is valid" in client.post(PAGE, {"code": "000000"}).content.decode()
    assert not TOTPDevice.objects.get(user=grace).confirmed and not StaticToken.objects.exists()
    client.post(PAGE, {"code": right})  # at once after a wrong one: it has to wait
    assert not TOTPDevice.objects.get(user=grace).confirmed
    assert client.get("/admin/").status_code == 200, "it is not asked for before it is set up"


@pytest.mark.parametrize("path", ["/admin/", "/admin/jobs/job/", "/admin/accounts/user/?q=a"])
def test_without_the_code_a_password_opens_no_page(grace: User, path: str) -> None:
    set_up(grace)
    browser = Browser()
    assert browser.sign_in("grace", PASSWORD).status_code == 302
    for answer in (browser.client.get(path), browser.client.post(path)):
        assert answer.status_code in (302, 403) and "jobs" not in answer.content.decode()
    assert browser.client.get(path).headers["Location"].startswith(PAGE)


def test_the_code_of_the_app_lets_in_once_and_leads_on(grace: User) -> None:
    set_up(grace)
    client, code = signed_in(grace), code_of(grace, ahead=1)
    before = client.session.session_key
    answer = client.post(f"{PAGE}?next=/admin/jobs/job/", {"code": f"{code[:3]} {code[3:]}"})
    assert answer.headers["Location"] == "/admin/jobs/job/" and client.session.session_key != before
    assert client.get("/admin/").status_code == 200
    assert not give(signed_in(grace), code), "the same code again"


def test_sessions_from_before_it_was_set_up_are_asked_too(grace: User) -> None:
    before, of_ada = signed_in(grace), signed_in(User.objects.create_superuser("ada"))
    assert [client.get("/admin/").status_code for client in (before, of_ada)] == [200, 200]
    codes = set_up(grace)
    for answer in (before.get("/admin/jobs/job/"), before.post("/admin/jobs/job/")):
        assert answer.headers["Location"].startswith(PAGE)
    assert of_ada.get("/admin/").status_code == 200 and give(before, codes[0])


def test_the_migration_knows_who_has_one_already(grace: User) -> None:
    User.objects.create_superuser("ada").totpdevice_set.create(confirmed=False)
    set_up(grace)
    User.objects.update(second_factor_at=None)
    import_module("config.accounts.migrations.0004_say_who_has_a_second_factor").note(apps, None)
    assert [user.username for user in User.objects.exclude(second_factor_at=None)] == ["grace"]


@pytest.mark.parametrize("target", ["https://evil.example/admin/", "//evil.example", "/jobs", ""])
def test_it_leads_to_pages_of_the_admin_alone(grace: User, target: str) -> None:
    codes = set_up(grace)
    answer = signed_in(grace).post(f"{PAGE}?next={target}", {"code": codes[0]})
    assert answer.headers["Location"] == "/admin/"


def test_a_recovery_code_lets_in_once(grace: User) -> None:
    codes = set_up(grace)
    assert give(signed_in(grace), codes[0].upper())
    assert not give(signed_in(grace), codes[0])
    assert StaticToken.objects.count() == 9


def test_of_many_at_once_a_recovery_code_lets_one_in(grace: User) -> None:
    codes = set_up(grace)
    clients = [signed_in(grace) for _ in range(4)]
    assert sum(at_once(4, lambda number: give(clients[number], codes[0]))) == 1


def test_after_a_wrong_code_the_right_one_has_to_wait(grace: User) -> None:
    codes = set_up(grace)
    client = signed_in(grace)
    for wrong, right in (("000000", code_of(grace, ahead=1)), ("aaaa", codes[0])):
        assert not give(client, wrong) and not give(client, right)
    for model in (TOTPDevice, StaticDevice):
        assert model.objects.get(user=grace).throttling_failure_count == 1
        model.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    assert give(client, codes[0])


def test_the_codes_of_another_user_let_nobody_in(grace: User) -> None:
    set_up(grace)
    theirs = set_up(User.objects.create_superuser("ada"))
    assert not give(signed_in(grace), theirs[0])


def test_new_recovery_codes_replace_the_former(grace: User) -> None:
    codes = set_up(grace)
    client = signed_in(grace)
    assert give(client, codes[0])
    assert "9 recovery codes are left" in client.get(PAGE).content.decode()
    page = client.post(PAGE).content.decode()
    fresh = re.findall(r"<li><code>([a-z2-7]{16})</code>", page)
    assert len(fresh) == 10 and not {*fresh} & {*codes}
    assert not give(signed_in(grace), codes[1])
    StaticDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    assert give(signed_in(grace), fresh[0])


def test_a_session_that_gave_no_code_makes_no_new_codes(grace: User) -> None:
    set_up(grace)
    before = set(StaticToken.objects.values_list("token", flat=True))
    page = signed_in(grace).post(PAGE).content.decode()
    assert set(StaticToken.objects.values_list("token", flat=True)) == before
    assert not any(code in page for code in before)


def test_where_it_is_required_it_is_set_up_first(grace: User, settings: Any) -> None:
    settings.ADMIN_SECOND_FACTOR_IS_REQUIRED = True
    client = signed_in(grace)
    assert client.get("/admin/jobs/job/").headers["Location"].startswith(PAGE)
    client.get(PAGE)
    client.post(PAGE, {"code": code_of(grace)})
    assert client.get("/admin/jobs/job/").status_code == 200


def test_who_is_no_staff_sees_nothing_of_it(settings: Any) -> None:
    settings.ADMIN_SECOND_FACTOR_IS_REQUIRED = True
    user = User.objects.create_user("ada")
    for client in (Client(), signed_in(user)):
        answer = client.get(PAGE)
        assert answer.status_code == 302 and answer.headers["Location"].startswith("/admin/login/")
    assert not TOTPDevice.objects.exists()


def test_a_form_from_elsewhere_is_refused(grace: User) -> None:
    codes = set_up(grace)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed_in(grace).cookies
    assert strict.post(PAGE, {"code": codes[0]}).status_code == 403 and StaticToken.objects.count() == 10


def test_a_superuser_takes_a_lost_one_away(grace: User) -> None:
    ada = User.objects.create_superuser("ada")
    codes, client = set_up(grace), signed_in(ada)
    page = f"/admin/accounts/user/{grace.pk}"
    assert "remove-second-factor" in client.get(f"{page}/change/").content.decode()
    client.post(f"{page}/do/remove-second-factor/", {"reason": "The phone fell into the lake."})
    assert not TOTPDevice.objects.exists() and not StaticToken.objects.exists()
    lost = signed_in(grace)
    assert lost.get("/admin/").status_code == 200 and codes


def test_a_session_of_a_lost_one_is_asked_no_more_nor_stays_let_in(grace: User, settings: Any) -> None:
    codes = set_up(grace)
    client = signed_in(grace)
    assert give(client, codes[0])
    call_command("remove_second_factor", "grace")
    settings.ADMIN_SECOND_FACTOR_IS_REQUIRED = True
    assert client.get("/admin/").headers["Location"].startswith(PAGE)


@pytest.mark.parametrize("name", ["grace", "nobody"])
def test_the_command_says_when_there_is_none(grace: User, name: str) -> None:
    with pytest.raises(CommandError, match=name):
        call_command("remove_second_factor", name)


def test_no_page_of_the_admin_shows_a_secret(grace: User) -> None:
    set_up(grace)
    client = signed_in(grace)
    for path in ("/admin/otp_totp/totpdevice/", "/admin/otp_static/staticdevice/"):
        assert client.get(path).status_code in (302, 404)
    page = client.get(PAGE).content.decode()
    assert "data:image/svg" not in page and TOTPDevice.objects.get().key not in page
