"""The admin's pages of this app: to look, not to change."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from unfold.decorators import display

from anchors.admin.history import read_history
from anchors.admin.pictures import base_of, picture_response
from anchors.models import AnchorResolution, Asset, ImageUpload, ScreenshotTask
from anchors.services.tasks import require_picture_again
from config.admin import ReadOnlyAdmin
from config.admin.links import link_to
from config.work.admin import StuckWorkFilter, WorkStatusFilter
from jobs.admin.requeueing import requeue_action
from jobs.states import HAS_DOCUMENT

# Of what is concealed or lies below; a file's URI has its hash in it.
HASHES = ("uri", "checksum_sha256", "pixels_sha256", "frame", "extraction_key", "ops_hash")


@admin.register(Asset)
class AssetAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "job", "version", "width", "height", "is_deleted", "created_at")
    csv_columns = ("id", "kind", *list_display)
    list_filter = ("kind", "is_deleted")
    list_select_related = ("job",)
    search_fields = ("id", "job")
    search_help_text = "ID of a picture or its job"
    change_form_template = "anchors/asset.html"

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["anchors/pictures.css"]}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.picture_view)
        return [path("<uuid:asset_id>/picture/", view, name="anchors_asset_picture"), *super().get_urls()]

    def get_exclude(self, request: HttpRequest, obj: Asset | None = None) -> tuple[str, ...]:
        """Leave out, where a redaction hides something, every hash by which a guess of that could be tested."""
        is_hidden = obj is not None and (obj.is_concealed or obj.is_redacted)
        return ("commitment_salt", "operations", *(HASHES if is_hidden else ()))

    def picture_view(self, request: HttpRequest, asset_id: UUID) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return picture_response(request, get_object_or_404(Asset.objects.defer("operations"), pk=asset_id))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        anchor = obj.anchor
        told = {
            "base": base_of(obj),
            "versions": anchor.assets.defer("operations").order_by("version")[:100] if anchor else (),
            "active_id": anchor.active_asset_id if anchor else None,
            "history": read_history(anchor) if anchor else None,
            "shown_instead": obj.redacted.filter(is_concealed=False).order_by("-pk").first(),
        }
        return super().render_change_form(request, context | told, *args, obj=obj, **kwargs)


@admin.register(ImageUpload)
class ImageUploadAdmin(ReadOnlyAdmin):
    list_display = (
        "__str__",
        "job",
        "mime_type",
        "expires_at",
        "received_at",
        "closed_at",
        "refusal_code",
    )
    csv_columns = ("id", "filename", "size_bytes", *list_display[1:])
    list_select_related = ("job",)
    search_fields = ("id", "job")
    search_help_text = "ID of an upload or its job"


@admin.register(ScreenshotTask)
class ScreenshotTaskAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "job", "operation", "status", "attempt", "at_ms", "failure_code", "created_at")
    list_filter = (WorkStatusFilter, StuckWorkFilter, "operation")
    list_select_related = ("job",)
    search_fields = ("id", "job")
    search_help_text = "ID of a task or its job"
    staff_actions = (requeue_action(allows=require_picture_again, reopened_in=HAS_DOCUMENT),)


@admin.register(AnchorResolution)
class AnchorResolutionAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "job", "target_version", "state", "created_at")
    csv_columns = ("id", "anchor_id", *list_display[1:])
    list_filter = ("state",)
    list_select_related = ("anchor", "target_version__instruction__job")
    search_fields = ("id", "anchor", "target_version")
    search_help_text = "ID of an anchor or a version"
    change_form_template = "anchors/resolution.html"

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["anchors/pictures.css"]}

    @display(description="Job")
    def job(self, resolution: AnchorResolution) -> Any:
        return link_to(resolution.target_version.instruction.job)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        told = {"history": read_history(obj.anchor)}
        return super().render_change_form(request, context | told, *args, obj=obj, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AnchorResolution]:
        return super().get_queryset(request).defer("target_version__markdown", "target_version__blocks")
