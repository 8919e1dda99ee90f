"""The front page of the admin: panels that the apps register when their admin modules are loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from config.admin.counts import Counted, estimate_sum
from config.storage import storage


@dataclass(frozen=True)
class FrontPanel:
    """A part of the page: `read` gets the user, and returns what `template` shows as `panel`. Who lacks `permission`
    does not see it; without one, `read` keeps to what the user may view. Those with a lower `place` come first."""

    title: str
    template: str
    permission: str
    read: Callable[[Any], Any]
    place: int
    is_wide: bool = False


@dataclass(frozen=True)
class Stuck:
    """A line of what is stuck: how many rows, and where they are shown."""

    label: str
    count: Counted
    url: str


@dataclass(frozen=True)
class StoredFiles:
    """A line of the storage used: the files whose sizes (bytes) a column has."""

    label: str
    model: type[Model]
    column: str


STUCK: list[Callable[[Any], Iterable[Stuck]]] = []
STORED: list[StoredFiles] = []


def view_permission(model: type[Model]) -> str:
    return f"{model._meta.app_label}.view_{model._meta.model_name}"


def list_url(model: type[Model], query: str = "") -> str:
    """Return where the admin lists a model; empty if it does not."""
    if not admin.site.is_registered(model):
        return ""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{query}" if query else url


def change_url(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=(row.pk,))


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the front page; this is UNFOLD's DASHBOARD_CALLBACK."""
    shown = [
        {"panel": panel, "content": panel.read(request.user)}
        for panel in sorted(FRONT_PANELS, key=lambda panel: panel.place)
        if not panel.permission or request.user.has_perm(panel.permission)
    ]
    return {**context, "title": "Now", "front_panels": shown}


def read_stuck(user: Any) -> list[Stuck]:
    """Return the lines of what is stuck and the user may view: none if all goes on."""
    return [line for read in STUCK for line in read(user)]


def read_storage(user: Any) -> dict[str, Any]:
    """Return the space of the disk, where files lie on one, and the bytes of the files that the user may view."""
    lines = [
        {"label": each.label, "sum": estimate_sum(each.model, each.column), "url": list_url(each.model)}
        for each in STORED
        if user.has_perm(view_permission(each.model))
    ]
    return {"lines": lines, "disk": storage().disk()}


FRONT_PANELS: list[FrontPanel] = [
    FrontPanel("What is stuck", "admin/front/stuck.html", "", read_stuck, place=20),
    FrontPanel("Storage", "admin/front/storage.html", "", read_storage, place=50),
]
