"""Anchors, screenshot tasks and pictures."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from anchors.api import schema, serializers
from anchors.models import Anchor, Asset, ScreenshotTask
from anchors.services.anchors import create_anchor
from anchors.services.annotation import annotate_anchor
from anchors.services.assets import delete_asset
from anchors.services.extraction import extract_screenshot
from anchors.services.resolutions import resolve_anchors
from config.api import errors
from config.api.ownership import get_visible, parse_id
from config.api.responses import accepted, created, matches_etag
from config.api.serializers import read_body
from config.api.viewsets import AnyAccept, ApiViewSet
from config.storage import download_url, storage
from instructions.models import Instruction
from jobs.models import Job


@schema.anchors
class AnchorViewSet(ApiViewSet[Anchor]):
    lookup_url_kwarg = "anchor_id"
    query_serializers = {"list": serializers.AnchorListQuery, "retrieve": serializers.AnchorQuery}

    def get_queryset(self) -> QuerySet[Anchor]:
        anchors = Anchor.objects.visible_to(self.request.user)
        return anchors.select_related("instruction") if self.action == "retrieve" else anchors

    def create(self, request: Request, instruction_id: str) -> Response:
        instruction = get_visible(Instruction.objects.visible_to(request.user), instruction_id)
        body = read_body(serializers.AnchorBody, request)
        anchor = create_anchor(instruction=instruction, user=request.user, **body)
        return created(serializers.ScreenshotAnchorSerializer(anchor).data)

    def list(self, request: Request, instruction_id: str) -> Response:
        instruction = get_visible(Instruction.objects.visible_to(request.user), instruction_id)
        anchors = _anchors(instruction, self.query.get("instruction_version_id"))
        context = {"include_deleted_assets": self.query["include_deleted_assets"]}
        return self.page(
            anchors.prefetch_related("assets"), serializers.ScreenshotAnchorSerializer, context=context
        )

    def retrieve(self, request: Request, anchor_id: str) -> Response:
        anchor = self.get_object()
        context = {}
        if "target_instruction_version_id" in self.query:
            context["resolution"] = _resolution(anchor, self.query["target_instruction_version_id"])
        return Response(serializers.ScreenshotAnchorSerializer(anchor, context=context).data)

    @action(detail=True, methods=["post"])
    def annotations(self, request: Request, anchor_id: str) -> Response:
        anchor = self.get_object()
        body = read_body(serializers.AnnotationBody, request)
        annotated = annotate_anchor(anchor=anchor, user=request.user, **body)
        return Response(serializers.AnnotationResultSerializer(annotated).data)


@schema.anchor_assets
class AnchorAssetViewSet(ApiViewSet[Anchor]):
    lookup_url_kwarg = "anchor_id"

    def get_queryset(self) -> QuerySet[Anchor]:
        return Anchor.objects.visible_to(self.request.user).select_related("instruction")

    def destroy(self, request: Request, anchor_id: str, asset_id: str) -> Response:
        deleted = delete_asset(anchor=self.get_object(), user=request.user, asset_id=asset_id)
        return Response(serializers.AssetDeletionSerializer(deleted).data)


def _anchors(instruction: Instruction, version_id: str | None) -> QuerySet[Anchor]:
    """Return the anchors of an instruction, or those that were made in one version of it."""
    if version_id is None:
        return instruction.anchors.all()
    # By the version alone: of anchors of both, PostgreSQL would expect far fewer, and sort them.
    version = instruction.versions.only("pk").filter(pk=parse_id(version_id)).first()
    return version.anchors.all() if version else instruction.anchors.none()


def _resolution(anchor: Anchor, raw_id: str) -> dict[str, Any]:
    """Return where the anchor stands in another version of its document, which `raw_id` names."""
    target = get_visible(anchor.instruction.versions.all(), raw_id)
    found = resolve_anchors([anchor], target)[anchor.pk]
    return {
        "source_instruction_version_id": anchor.instruction_version_id,
        "target_instruction_version_id": target.pk,
        "resolution_state": found.state,
        "trace": found.trace,
    }


@schema.screenshot_tasks
class ScreenshotTaskViewSet(ApiViewSet[ScreenshotTask]):
    lookup_url_kwarg = "task_id"

    def get_queryset(self) -> QuerySet[ScreenshotTask]:
        return ScreenshotTask.objects.visible_to(self.request.user)

    def create(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        body = read_body(serializers.ExtractBody, request)
        task, replayed = extract_screenshot(job=job, user=request.user, body=body)
        content = serializers.ScreenshotTaskSerializer(task).data
        location = reverse("screenshot-task-detail", args=[task.pk])
        return accepted(content, location=location, retry_after=1, replayed=replayed)

    def retrieve(self, request: Request, task_id: str) -> Response:
        return Response(serializers.ScreenshotTaskSerializer(self.get_object()).data)


@schema.assets
class AssetViewSet(ApiViewSet[Asset]):
    lookup_url_kwarg = "asset_id"
    content_negotiation_class = AnyAccept

    def get_queryset(self) -> QuerySet[Asset]:
        return Asset.objects.visible_to(self.request.user)

    @action(detail=True)
    def content(self, request: Request, asset_id: str) -> HttpResponseBase:
        asset = self.get_object()
        etag = f'"{asset.checksum_sha256}"'
        cached = {"Cache-Control": "private, max-age=31536000, immutable", "ETag": etag}
        if matches_etag(request, etag):
            return HttpResponse(status=304, headers=cached)
        return _redirect(asset) if storage().is_written_by_clients else _file(asset, cached)


def _redirect(asset: Asset) -> HttpResponseBase:
    url, _ = download_url(asset.uri, filename=f"{asset.pk}", mime_type=asset.mime_type)
    return HttpResponse(status=302, headers={"Location": url, "Cache-Control": "no-store"})


def _file(asset: Asset, headers: dict[str, str]) -> HttpResponseBase:
    try:
        file = storage().open(asset.uri)
    except FileNotFoundError as error:
        raise errors.not_found() from error
    return FileResponse(file, content_type=asset.mime_type, headers=headers)
