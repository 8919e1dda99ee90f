"""API tokens are made by `manage.py create_api_token` and in the admin, and revoked in the admin."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from config.accounts.models import ApiToken, User
from config.accounts.services import create_api_token
from tests.factories import make_project, make_user

LIST, ADD = "/admin/accounts/apitoken/", "/admin/accounts/apitoken/add/"


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("create_api_token", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def opens(value: str) -> bool:
    answer = Client().get("/api/v1/projects", headers={"authorization": f"Bearer {value}"})
    return answer.status_code == 200


def test_the_command_prints_the_token_alone_and_says_the_rest_beside_it(db: None) -> None:
    out, err = run("editor", "--name", "nightly import")
    assert re.fullmatch(r"swt_[A-Za-z0-9_-]{43}\n", out)
    assert out.strip() not in err and "not shown again" in err
    token = ApiToken.objects.get()
    assert (token.name, token.user) == ("nightly import", make_user("editor"))
    assert timedelta(days=89) < token.expires_at - timezone.now() <= timedelta(days=90)
    assert opens(out.strip())


def test_the_token_is_of_the_user_whom_the_api_knows(db: None) -> None:
    project = make_project(make_user("editor"))
    out, _ = run("editor", "--name", "a", "--days", "366")
    answer = Client().get("/api/v1/projects", headers={"authorization": f"Bearer {out.strip()}"})
    assert [row["id"] for row in answer.json()] == [str(project.pk)]


def test_a_user_who_is_switched_off_is_pointed_out(db: None) -> None:
    make_user("editor")
    User.objects.update(is_active=False)
    out, err = run("editor", "--name", "a")
    assert "switched off" in err and not opens(out.strip())


@pytest.mark.parametrize(
    "arguments",
    [
        ("editor",),
        ("editor", "--name", ""),
        ("editor", "--name", "a" * 101),
        ("editor", "--name", "a", "--days", "0"),
        ("editor", "--name", "a", "--days", "367"),
        ("", "--name", "a"),
        ("a" * 256, "--name", "a"),
    ],
)
def test_a_bad_wish_is_refused_and_makes_nothing(db: None, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)
    assert not ApiToken.objects.exists() and not User.objects.exists()


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("support", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def form(owner: User, **fields: Any) -> dict[str, Any]:
    return {"user": str(owner.pk), "name": "import", "lifetime_days": "30", **fields}


def test_the_admin_makes_a_token_and_shows_it_once(db: None) -> None:
    client, owner = staff("add_apitoken", "view_apitoken"), make_user("owner")
    assert client.get(ADD).status_code == 200
    shown = client.post(ADD, form(owner), follow=True).content.decode()
    (value,) = set(re.findall(r"swt_[A-Za-z0-9_-]{43}", shown))
    assert opens(value)
    token = ApiToken.objects.get()
    assert (token.user, token.name) == (owner, "import")
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
    for page in (LIST, f"{LIST}{token.pk}/change/"):
        again = client.get(page).content.decode()
        assert token.prefix in again and "import" in again
        assert value not in again and token.sha256 not in again
    entry = LogEntry.objects.get()
    assert entry.object_id == str(token.pk) and value not in str(LogEntry.objects.values().get())


@pytest.mark.parametrize(
    "wrong", [{"lifetime_days": "0"}, {"lifetime_days": "367"}, {"name": ""}, {"user": ""}]
)
def test_the_form_refuses_what_the_service_refuses(db: None, wrong: dict[str, str]) -> None:
    answer = staff("add_apitoken").post(ADD, form(make_user("owner"), **wrong))
    assert answer.status_code == 200 and b"errorlist" in answer.content
    assert not ApiToken.objects.exists()


def test_who_may_look_may_not_add_change_revoke_or_delete(db: None) -> None:
    token, value = create_api_token(user=make_user("owner"), name="import")
    client = staff("view_apitoken", "delete_apitoken")
    assert client.get(LIST).status_code == 200
    assert client.post(ADD, form(token.user)).status_code in (403, 404)
    assert client.post(f"{LIST}{token.pk}/change/", form(token.user, name="other")).status_code in (403, 404)
    assert client.post(f"{LIST}{token.pk}/delete/", {"post": "yes"}).status_code in (403, 404)
    client.post(LIST, {"action": "delete_selected", "_selected_action": [str(token.pk)], "post": "yes"})
    assert client.post(f"{LIST}{token.pk}/do/revoke/", {"reason": "odd"}).status_code in (403, 404)
    assert ApiToken.objects.get().name == "import" and ApiToken.objects.count() == 1
    assert opens(value)


def test_staff_without_permission_sees_nothing_of_the_tokens(db: None) -> None:
    token, _ = create_api_token(user=make_user("owner"), name="import")
    client = staff("view_job")
    pages = (LIST, ADD, f"{LIST}{token.pk}/change/")
    assert all(client.get(page).status_code in (403, 404) for page in pages)
    assert all(Client().get(page).status_code == 302 for page in pages)


def test_who_may_revokes_through_the_service_for_a_reason(db: None) -> None:
    token, value = create_api_token(user=make_user("owner"), name="import")
    kept, other = create_api_token(user=make_user("owner"), name="other")
    client = staff("view_apitoken", "revoke_any_apitoken")
    page = client.get(f"{LIST}{token.pk}/change/").content.decode()
    assert f"{token.pk}/do/revoke/" in page and "delete_selected" not in client.get(LIST).content.decode()
    client.post(f"{LIST}{token.pk}/do/revoke/", {"reason": "It stood in a log."})
    assert not opens(value) and opens(other)
    token.refresh_from_db()
    assert token.revoked_at is not None
    entry = LogEntry.objects.get()
    assert entry.object_id == str(token.pk) and "It stood in a log." in entry.change_message
    assert "/do/revoke/" not in client.get(f"{LIST}{token.pk}/change/").content.decode()
    assert client.post(f"{LIST}{kept.pk}/change/", form(kept.user, name="x")).status_code in (403, 404)
