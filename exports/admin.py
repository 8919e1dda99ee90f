"""The admin's pages of this app: to look, not to change."""

from __future__ import annotations

from django.contrib import admin

from config.admin import ReadOnlyAdmin
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
    list_filter = ("status", "format")
    search_fields = ("=id", "=job__id", "identity_key")
