"""How the admin looks: django-unfold's settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

# From 600 on the accents of our pages and guides (config/web/static/web/pages.css, exports/look.py), and 300 theirs on
# dark ground. White letters can be read on 600 and darker, and 500 and lighter on dark ground (WCAG 2.2, 1.4.3).
PRIMARY = {
    "50": "#eef2ff",
    "100": "#e0e7ff",
    "200": "#cfd0ff",
    "300": "#b3b1ff",
    "400": "#9d9bfb",
    "500": "#8a87f7",
    "600": "#4338ca",
    "700": "#3730a3",
    "800": "#312e81",
    "900": "#282566",
    "950": "#1e1b4b",
}


def _logo(request: HttpRequest) -> str:
    return static("web/favicon.svg")


def _may_view(model: str) -> Callable[[HttpRequest], bool]:
    app, name = model.split(".")
    return lambda request: bool(request.user.has_perm(f"{app}.view_{name}"))


def _item(title: str, icon: str, model: str) -> dict[str, Any]:
    link = reverse_lazy(f"admin:{model.replace('.', '_')}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": _may_view(model)}


NAVIGATION: list[dict[str, Any]] = [
    {"items": [{"title": "Now", "icon": "monitoring", "link": reverse_lazy("admin:index")}]},
    {
        "title": "Jobs",
        "items": [
            _item("Jobs", "movie", "jobs.job"),
            _item("Projects", "folder", "jobs.project"),
            _item("Video uploads", "upload", "jobs.uploadticket"),
        ],
    },
    {
        "title": "Documents",
        "items": [
            _item("Documents", "article", "instructions.instruction"),
            _item("Versions", "history", "instructions.instructionversion"),
            _item("Rewritings", "edit_note", "instructions.regeneratetask"),
        ],
    },
    {
        "title": "Pictures",
        "items": [
            _item("Pictures", "image", "anchors.asset"),
            _item("Without a place", "wrong_location", "anchors.unresolvedanchor"),
            _item("Anchors", "anchor", "anchors.anchorresolution"),
            _item("Tasks", "photo_camera", "anchors.screenshottask"),
            _item("Picture uploads", "add_photo_alternate", "anchors.imageupload"),
        ],
    },
    {"title": "Exports", "items": [_item("Exports", "description", "exports.export")]},
    {
        "title": "Work",
        "items": [
            _item("Workers", "memory", "work.worker"),
            _item("Pipeline runs", "play_circle", "jobs.pipelinerun"),
            _item("Videos looked at", "visibility", "anchors.screenactivity"),
            _item("Searches to hide", "search", "anchors.sensitivesearch"),
            _item("Redacting", "visibility_off", "anchors.redactionrun"),
        ],
    },
    {
        "title": "Accounts",
        "items": [
            _item("Users", "person", "accounts.user"),
            _item("Groups", "group", "auth.group"),
            _item("API tokens", "key", "accounts.apitoken"),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Stepwright",
    "SITE_HEADER": "Stepwright",
    "SITE_ICON": _logo,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _logo}],
    "COLORS": {"primary": PRIMARY},
    "STYLES": [lambda request: static("front/admin.css")],
    "DASHBOARD_CALLBACK": "config.admin.front.front_page",
    "ACCOUNT": {"navigation": [{"title": "Second factor", "link": reverse_lazy("second_factor")}]},
    "SIDEBAR": {"navigation": NAVIGATION},
}
