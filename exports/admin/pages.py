"""The admin's pages of this app: to look, not to change."""

from __future__ import annotations

from django.contrib import admin

from config.admin import ReadOnlyAdmin
from config.work.admin import StuckWorkFilter, WorkStatusFilter
from exports.admin.actions import EXPORT_ACTIONS
from exports.models import Export


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "job",
        "format",
        "status",
        "attempt",
        "failure_code",
        "artifact_size_bytes",
        "created_at",
    )
    list_filter = (WorkStatusFilter, StuckWorkFilter, "format")
    list_select_related = ("job",)
    exclude = ("snapshot",)  # the text of the document
    search_fields = ("id", "job", "identity_key__exact")
    staff_actions = EXPORT_ACTIONS
    search_help_text = "ID of an export or its job, or an identity key"
