"""The admin's list of pictures without a place in the newest version of their guide, and the page to give them one."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timesince import timesince
from unfold.decorators import display

from anchors.admin.history import read_history
from anchors.admin.placing import PLACE, READ, PlaceForm, compare
from anchors.models import UnresolvedAnchor
from anchors.queries import newest_unresolved, waits_for_place
from config.admin import KeysetChangeList, ReadOnlyAdmin, ReasonForm, StaffAction
from jobs.admin.content import PERMISSION as MAY_READ
from jobs.admin.content import may_read

VIEW_PICTURE = "anchors.view_asset"
MAX_READ = 500  # resolutions, in which those that wait are looked for
READ_FIRST = "Say first why you want to read the document: a place is chosen by its text."


class QueueList(KeysetChangeList):
    """Those that wait, of the newest MAX_READ that were not found; all of them when something is searched for.

    A row's page is there afterwards too, to say what became of it.
    """

    is_cut = False
    most = f"{MAX_READ:,}"

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        rows = super().get_queryset(request, *args, **kwargs).filter(waits_for_place())
        if self.query:
            return rows
        newest, self.is_cut = newest_unresolved(MAX_READ)
        return rows.filter(newest)


@admin.register(UnresolvedAnchor)
class UnresolvedAnchorAdmin(ReadOnlyAdmin):
    csv_columns = ("id", "anchor_id", "guide", "project", "version", "created_at")
    search_fields = ("id", "anchor", "target_version")
    search_help_text = "ID of an anchor or a version"
    list_select_related = ("anchor__active_asset", "target_version__instruction__job__project")
    fields = ("anchor", "target_version", "created_at")
    staff_actions = (READ, PLACE)
    change_list_template = "anchors/queue.html"
    change_form_template = "anchors/place.html"

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["anchors/pictures.css", "anchors/placing.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return QueueList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = ["guide", "project", "version", "waits"]
        return ["picture", *columns] if request.user.has_perm(VIEW_PICTURE) else columns

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnresolvedAnchor]:
        rows = super().get_queryset(request).select_related(*self.list_select_related)
        return rows.defer(
            "target_version__markdown", "target_version__blocks", "anchor__active_asset__operations"
        )

    @display(description="Picture")
    def picture(self, row: UnresolvedAnchor) -> str:
        asset = row.anchor.active_asset
        if asset is None or asset.is_concealed:
            return "To be redacted"
        url = reverse("admin:anchors_asset_picture", args=(asset.pk,))
        size = asset.width, asset.height
        return format_html(
            '<img class="queue-picture" src="{}" width="{}" height="{}" loading="lazy" alt="Picture">',
            url,
            *size,
        )

    @display(description="Guide")
    def guide(self, row: UnresolvedAnchor) -> str:
        return str(row.target_version.instruction.job)

    @display(description="Project")
    def project(self, row: UnresolvedAnchor) -> str:
        return str(row.target_version.instruction.job.project)

    @display(description="Version")
    def version(self, row: UnresolvedAnchor) -> int:
        return row.target_version.version

    @display(description="Not found for")
    def waits(self, row: UnresolvedAnchor) -> str:
        return timesince(row.created_at)

    def do_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id)) if name == PLACE.name else None
        if row and request.user.has_perm(PLACE.permission) and not may_read(request, row.job):
            messages.warning(request, READ_FIRST)
            return HttpResponseRedirect(self._url("change", row))
        return super().do_view(request, object_id, name)

    def form_of_action(self, request: HttpRequest, action: StaffAction[Any], obj: Any) -> ReasonForm:
        form = super().form_of_action(request, action, obj)
        if isinstance(form, PlaceForm):
            form.offer(obj, request.GET.get("block", ""))
        return form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        is_open, user = may_read(request, obj.job), request.user
        waits = type(obj).objects.filter(waits_for_place(), pk=obj.pk).exists()
        told = {
            "job": obj.job,
            "waits": waits,
            "asset": obj.anchor.active_asset if user.has_perm(VIEW_PICTURE) else None,
            "compared": compare(obj) if is_open and obj.is_unresolved else None,
            "may_ask": user.has_perm(MAY_READ),
            "place_url": self._url("do", obj, PLACE.name)
            if waits and user.has_perm(PLACE.permission)
            else "",
            "read_url": self._url("do", obj, READ.name),
            "history": read_history(obj.anchor),
        }
        return super().render_change_form(request, context | told, *args, obj=obj, **kwargs)
