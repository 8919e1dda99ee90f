"""The admin's pages of this room: to look, not to change."""

from __future__ import annotations

from django.contrib import admin

from anchors.models import Asset, ScreenshotTask
from jobs.admin import LookOnlyAdmin


@admin.register(Asset)
class AssetAdmin(LookOnlyAdmin):
    list_display = ("id", "job", "kind", "version", "width", "height", "is_deleted", "created_at")
    list_filter = ("kind", "is_deleted")
    search_fields = ("=id", "=job__id")


@admin.register(ScreenshotTask)
class ScreenshotTaskAdmin(LookOnlyAdmin):
    list_display = ("id", "job", "operation", "status", "attempt", "at_ms", "failure_code", "created_at")
    list_filter = ("status", "operation")
    search_fields = ("=id", "=job__id")
