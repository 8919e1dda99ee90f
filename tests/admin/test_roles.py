"""The roles of staff: what each group may do, as the table says and as the pages do."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client

from config.accounts.models import User
from exports.roles import ACTIONS, APPS, AUDITOR, CONTENT, OPERATOR, ROLES, SUPPORT, of_role
from jobs.models import Job
from jobs.states import JobStatus
from tests.factories import make_asset, make_export, make_job

pytestmark = pytest.mark.django_db
make = import_module("exports.migrations.0009_roles_of_staff").make


def known() -> set[str]:
    rows = Permission.objects.filter(content_type__app_label__in=APPS)
    return {f"{app}.{name}" for app, name in rows.values_list("content_type__app_label", "codename")}


def in_database(role: str) -> set[str]:
    rows = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{name}" for app, name in rows}


def sign_in(role: str) -> Client:
    user = User.objects.create_user(f"of {role}", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("role", ROLES)
def test_each_group_has_what_the_table_says(role: str) -> None:
    assert in_database(role) == of_role(role, known())


def test_the_table_says_of_each_permission_of_ours_who_has_it() -> None:
    own = {
        name
        for name in known()
        if name.partition(".")[2].split("_")[0] not in ("add", "change", "delete", "view")
    }
    assert own and own <= set(ACTIONS), "say in exports/roles.py who may, and add a migration like 0008"


def test_the_table_names_permissions_and_roles_that_there_are() -> None:
    assert CONTENT | set(ACTIONS) <= known()
    assert {role for roles in ACTIONS.values() for role in roles} <= set(ROLES)


def test_an_auditor_looks_and_changes_nothing() -> None:
    assert all(".view_" in name for name in in_database(AUDITOR))
    assert not in_database(AUDITOR) & CONTENT


@pytest.mark.parametrize("role", ROLES)
def test_users_and_groups_are_a_superusers(role: str) -> None:
    changes = {
        name for name in in_database(role) if name.startswith(("auth.", "accounts.")) and ".view_" not in name
    }
    assert changes == ({"accounts.revoke_any_apitoken"} if role == OPERATOR else set())


def test_the_migration_again_adds_what_is_missing_and_takes_nothing() -> None:
    group, extra = Group.objects.get(name=SUPPORT), Permission.objects.get(codename="view_logentry")
    group.permissions.remove(Permission.objects.get(codename="retry_any_job"))
    group.permissions.add(extra)
    Permission.objects.get(codename="cancel_any_job").delete()
    with connection.schema_editor() as editor:
        make(apps, editor)
    assert in_database(SUPPORT) == of_role(SUPPORT, known()) | {"admin.view_logentry"}
    assert "jobs.cancel_any_job" in known()


@pytest.mark.parametrize(
    ("role", "offered"),
    [(SUPPORT, {"cancel", "read"}), (OPERATOR, {"cancel", "fail", "read"}), (AUDITOR, set())],
)
def test_a_role_is_offered_its_actions_alone(role: str, offered: set[str]) -> None:
    job, client = make_job(JobStatus.EDITING), sign_in(role)
    page = f"/admin/jobs/job/{job.pk}/"
    names = {action.name for action, _ in client.get(f"{page}change/").context["offered_actions"]}
    assert names == offered
    for name in ("cancel", "fail"):
        asked = client.get(f"{page}do/{name}/")
        assert asked.status_code == (200 if name in offered else 404)
    assert Job.objects.get(pk=job.pk).status == JobStatus.EDITING


@pytest.mark.parametrize("role", ROLES)
def test_content_is_shown_to_all_but_auditors(role: str) -> None:
    job, client = make_job(JobStatus.EDITING), sign_in(role)
    picture = client.get(f"/admin/anchors/asset/{make_asset(job).pk}/change/")
    asked = client.get(f"/admin/jobs/job/{job.pk}/do/read/")
    assert picture.status_code == asked.status_code == (404 if role == AUDITOR else 200)
    document = client.get(f"/admin/instructions/instruction/{job.instruction.pk}/change/")
    assert document.status_code == 200 and b"Type the name" not in document.content


def test_the_page_of_an_export_has_no_text_of_its_document() -> None:
    export = make_export(make_job(JobStatus.EDITING))
    type(export).objects.filter(pk=export.pk).update(snapshot={"markdown": "Words of the owner"})
    page = sign_in(AUDITOR).get(f"/admin/exports/export/{export.pk}/change/")
    assert page.status_code == 200 and b"Words of the owner" not in page.content
