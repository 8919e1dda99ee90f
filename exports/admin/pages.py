"""The admin's pages of this app: to look, not to change."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms.widgets import Media, Script
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path

from config.admin import ReadOnlyAdmin
from config.work.admin import StuckWorkFilter, WorkStatusFilter
from exports.admin.actions import EXPORT_ACTIONS
from exports.admin.provenance import read_provenance
from exports.models import Export
from exports.services.downloads import hand_out, shows_concealed
from jobs.admin.content import may_read, read_action
from jobs.services.audit import by_staff
from jobs.services.content import reason_given

_TEXTS = ("instruction_version__markdown", "instruction_version__blocks")
READ = read_action(lambda export: export.job)
TONES = {Export.SUCCEEDED: "good", Export.FAILED: "bad"}


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    list_display = (
        "__str__",
        "job",
        "format",
        "status",
        "attempt",
        "failure_code",
        "artifact_size_bytes",
        "created_at",
    )
    list_filter = (WorkStatusFilter, StuckWorkFilter, "format")
    list_select_related = ("job", "instruction_version")
    exclude = ("snapshot", "manifest")  # the text of the document, and what the page tells in words
    search_fields = ("id", "job")  # and by no hash, by which guesses of what is hidden could be tested
    staff_actions = (*EXPORT_ACTIONS, READ)
    search_help_text = "ID of an export or its job"
    change_form_template = "exports/export.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Export]:
        return super().get_queryset(request).defer(*_TEXTS)

    def as_shown(self, rows: QuerySet[Export]) -> QuerySet[Export]:
        return rows.defer("snapshot", "manifest", *_TEXTS)

    @property
    def media(self) -> Media:
        styles = ["jobs/story.css", "anchors/pictures.css", "exports/provenance.css"]
        scripts: list[Any] = [Script("jobs/copy-button.js", type="module")]
        return super().media + Media(css={"all": styles}, js=scripts)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file_view)
        return [path("<uuid:export_id>/file/", view, name="exports_export_file"), *super().get_urls()]

    def file_view(self, request: HttpRequest, export_id: UUID) -> HttpResponse:
        """Lead to the file, for those who have said why they read it; the others are asked for that."""
        if not (self.has_view_permission(request) and request.user.has_perm(READ.permission)):
            raise PermissionDenied
        export = get_object_or_404(Export, pk=export_id, status=Export.SUCCEEDED)
        user: Any = request.user
        reason = reason_given(job=export.job, user_id=user.pk)
        if reason is None:
            messages.warning(request, "Say first why you read it.")
            return HttpResponseRedirect(self._url("do", export, READ.name))
        if shows_concealed(export):
            messages.error(
                request, "A picture in this file shows what was redacted since: nobody here gets it."
            )
            return HttpResponseRedirect(self._url("change", export))
        return HttpResponseRedirect(hand_out(export=export, by=by_staff(user, reason)))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        is_concealed, is_open = shows_concealed(obj), may_read(request, obj.job)
        told = {
            "tone": TONES.get(obj.status, "works"),
            "provenance": read_provenance(obj, with_titles=is_open),
            "asks_for_titles": not is_open and request.user.has_perm(READ.permission),
            "may_see_pictures": request.user.has_perm("anchors.view_asset"),
            "may_download": obj.status == Export.SUCCEEDED and not is_concealed and is_open,
            "is_concealed": is_concealed,
        }
        return super().render_change_form(request, context | told, *args, obj=obj, **kwargs)
