"""The admin's pages of this app: to look, not to change."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from anchors.models import AnchorResolution, Asset, ImageUpload, ScreenshotTask
from config.admin import ReadOnlyAdmin
from config.admin.front import STORED, StoredFiles
from config.work.admin import StuckWorkFilter, WorkStatusFilter

STORED.append(StoredFiles("Pictures", Asset, "size_bytes"))


@admin.register(Asset)
class AssetAdmin(ReadOnlyAdmin):
    list_display = ("id", "job", "kind", "version", "width", "height", "is_deleted", "created_at")
    list_filter = ("kind", "is_deleted")
    list_select_related = ("job",)
    search_fields = ("id", "job")
    search_help_text = "ID of a picture or its job"


@admin.register(ImageUpload)
class ImageUploadAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "job",
        "mime_type",
        "size_bytes",
        "expires_at",
        "received_at",
        "closed_at",
        "refusal_code",
    )
    list_select_related = ("job",)
    search_fields = ("id", "job")
    search_help_text = "ID of an upload or its job"


@admin.register(ScreenshotTask)
class ScreenshotTaskAdmin(ReadOnlyAdmin):
    list_display = ("id", "job", "operation", "status", "attempt", "at_ms", "failure_code", "created_at")
    list_filter = (WorkStatusFilter, StuckWorkFilter, "operation")
    list_select_related = ("job",)
    search_fields = ("id", "job")
    search_help_text = "ID of a task or its job"


@admin.register(AnchorResolution)
class AnchorResolutionAdmin(ReadOnlyAdmin):
    list_display = ("id", "anchor", "target_version", "state", "created_at")
    list_filter = ("state",)
    list_select_related = ("anchor", "target_version")
    search_fields = ("id", "anchor", "target_version")
    search_help_text = "ID of an anchor or a version"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AnchorResolution]:
        return super().get_queryset(request).defer("target_version__markdown", "target_version__blocks")
