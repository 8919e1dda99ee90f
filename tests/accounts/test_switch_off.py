"""Users who are switched off in the admin, and on again."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from config.accounts.models import User
from config.accounts.services import create_api_token
from tests.factories import Api, make_user

pytestmark = pytest.mark.django_db
REASON = {"reason": "The person has left."}


@pytest.fixture
def staff() -> Client:
    user = User.objects.create_user("support", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_user", "switch_any_user")))
    client = Client()
    client.force_login(user)
    return client


def do(staff: Client, user: User, name: str) -> Any:
    return staff.post(f"/admin/accounts/user/{user.pk}/do/{name}/", REASON, follow=True)


def opens(token: str) -> bool:
    answer = Client().get("/api/v1/jobs", headers={"Authorization": f"Bearer {token}"})
    return bool(answer.status_code == 200)


def test_nothing_of_a_user_who_is_switched_off_opens_anything(staff: Client, owner: Api) -> None:
    _, token = create_api_token(user=owner.user, name="import")
    session = Client()
    owner.user.is_staff = True
    owner.user.save(update_fields=["is_staff"])
    session.force_login(owner.user)
    assert opens(token) and owner.get("/jobs").status_code == 200
    assert session.get("/admin/").status_code == 200
    assert "is switched off" in do(staff, owner.user, "switch-off").content.decode()
    assert not opens(token) and owner.get("/jobs").status_code == 401
    assert session.get("/admin/").status_code == 302
    do(staff, owner.user, "switch-on")
    assert opens(token) and owner.get("/jobs").status_code == 200


def test_nobody_switches_oneself_off(staff: Client) -> None:
    me = User.objects.get(username="support")
    assert "cannot switch yourself off" in do(staff, me, "switch-off").content.decode()
    assert User.objects.get(pk=me.pk).is_active


def test_it_wants_the_permission(staff: Client) -> None:
    User.objects.get(username="support").user_permissions.remove(
        Permission.objects.get(codename="switch_any_user")
    )
    user = make_user("other")
    assert do(staff, user, "switch-off").status_code == 404
    assert User.objects.get(pk=user.pk).is_active
