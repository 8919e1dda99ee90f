"""Staff post by hand what no page offers them: all of it is refused, and nothing changes. Pages and actions that are
registered later are walked by themselves."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import Client

from config.accounts.models import User
from config.admin import StaffAction
from exports.roles import ROLES, has
from tests.admin import rows

pytestmark = pytest.mark.django_db
NOBODY = ""  # a member of staff without a group
BROWSER = {"accept": "text/html"}  # others are not told that there is something
FORM = {"reason": "By hand.", "model_profile": "extractive", "action": "delete_selected", "post": "yes"}
REFUSED = [
    (role, model, action)
    for role in (NOBODY, *ROLES)
    for model, action in rows.actions()
    if not has(role, action.permission)
]


def signed_in(role: str = NOBODY) -> Client:
    user, client = User.objects.create_user(f"of {role}", is_staff=True), Client()
    user.groups.set(Group.objects.filter(name=role))
    client.force_login(user)
    return client


def send(client: Client, method: str, path: str, **chosen: str) -> int:
    """Ask for a page, or post a form that names a reason, as it would be sent by hand; give the status at the end."""
    if method == "GET":
        return client.get(path, headers=BROWSER, follow=True).status_code
    return client.post(path, FORM | chosen, headers=BROWSER, follow=True).status_code


@pytest.mark.parametrize(
    ("role", "model", "action"),
    REFUSED,
    ids=lambda each: getattr(each, "name", None) or getattr(each, "__name__", None) or each or "nobody",
)
def test_an_action_that_a_role_lacks_is_refused(
    role: str, model: type[Model], action: StaffAction[Any]
) -> None:
    row, client = rows.row_for(model, action), signed_in(role)
    path, before = f"{rows.list_path(model)}{row.pk}/do/{action.name}/", rows.state_of_database()
    assert [send(client, "GET", path), send(client, "POST", path)] == [403, 403]
    assert rows.state_of_database() == before


def test_staff_without_rights_are_refused_every_action() -> None:
    refused = {(model, action.name) for role, model, action in REFUSED if role == NOBODY}
    assert refused == {(model, action.name) for model, action in rows.actions()} != set()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("model", rows.MODELS, ids=lambda model: model.__name__)
def test_staff_without_rights_are_refused_every_page(model: type[Model], method: str) -> None:
    rows.make_rows()
    client, before = signed_in(), rows.state_of_database()
    walked = {path: send(client, method, path) for path in rows.paths(model)}
    assert walked == dict.fromkeys(walked, 403) and len(walked) > 5
    assert rows.state_of_database() == before


@pytest.mark.parametrize("role", ROLES)
def test_no_role_changes_a_row_by_the_pages_of_django(role: str) -> None:
    rows.make_rows()
    client, before = signed_in(role), rows.state_of_database()
    for model in rows.MODELS:
        chosen = {"_selected_action": str(rows.newest(model).pk)}
        pages = [path for path in rows.paths(model) if "/do/" not in path]
        answers = {path: send(client, "POST", path, **chosen) for path in pages}
        wanted = {
            path: 403 for path in pages if path.endswith(("/add/", "/change/", "/delete/", "/password/"))
        }
        assert {path: answers[path] for path in wanted} == wanted
    assert rows.state_of_database() == before


def test_staff_without_rights_change_nothing_on_the_pages_of_no_row() -> None:
    rows.make_rows()
    client = signed_in()
    user, before = User.objects.get(username="of "), rows.state_of_database()
    for path in rows.site_paths():
        client.force_login(user)  # one of the pages signs out
        assert send(client, "POST", path) in (200, 403, 404, 405), path
    assert rows.state_of_database() == before
