"""The sidebar of the admin: every page has a place, and is shown to those who may view it."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from config.accounts.models import User
from config.unfold import NAVIGATION, PRIMARY
from exports.look import ACCENT, contrast_with_white

pytestmark = pytest.mark.django_db


def shown(client: Client) -> set[str]:
    groups = client.get("/admin/").context["sidebar_navigation"]
    return {str(item["link"]) for group in groups for item in group["items"] if item["has_permission"]}


def lists() -> set[str]:
    registered = (model._meta for model in admin.site._registry)
    return {reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist") for opts in registered}


def test_each_list_has_a_place_in_the_sidebar() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    assert shown(client) == lists() | {"/admin/"}
    links = [str(item["link"]) for group in NAVIGATION for item in group["items"]]
    assert len(links) == len(set(links))


def test_the_sidebar_shows_what_one_may_view() -> None:
    user, client = User.objects.create_user("viewer", is_staff=True), Client()
    client.force_login(user)
    assert shown(client) == {"/admin/"}
    user.user_permissions.add(Permission.objects.get(codename="view_asset"))
    assert shown(client) == {"/admin/", "/admin/anchors/asset/"}


def test_the_admin_has_the_accent_of_the_guides() -> None:
    assert PRIMARY["700"] == ACCENT
    assert all(contrast_with_white(PRIMARY[weight]) >= 7 for weight in ("600", "700", "800", "900", "950"))
