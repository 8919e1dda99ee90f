"""The admin's pages of this room: to look, not to change."""

from __future__ import annotations

from django.contrib import admin

from exports.models import Export
from jobs.admin import LookOnlyAdmin


@admin.register(Export)
class ExportAdmin(LookOnlyAdmin):
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
    list_filter = ("status", "format")
    search_fields = ("=id", "=job__id", "identity_key")
