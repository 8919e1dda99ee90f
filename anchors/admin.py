"""The admin's pages of this app: to look, not to change."""

from __future__ import annotations

from django.contrib import admin

from anchors.models import AnchorResolution, Asset, ScreenshotTask
from config.admin import ReadOnlyAdmin


@admin.register(Asset)
class AssetAdmin(ReadOnlyAdmin):
    list_display = ("id", "job", "kind", "version", "width", "height", "is_deleted", "created_at")
    list_filter = ("kind", "is_deleted")
    search_fields = ("=id", "=job__id")


@admin.register(ScreenshotTask)
class ScreenshotTaskAdmin(ReadOnlyAdmin):
    list_display = ("id", "job", "operation", "status", "attempt", "at_ms", "failure_code", "created_at")
    list_filter = ("status", "operation")
    search_fields = ("=id", "=job__id")


@admin.register(AnchorResolution)
class AnchorResolutionAdmin(ReadOnlyAdmin):
    list_display = ("id", "anchor", "target_version", "state", "created_at")
    list_filter = ("state",)
    search_fields = ("=anchor__id", "=target_version__id")
