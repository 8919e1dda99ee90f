"""Pictures that their owner uploads."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from anchors.api import schema, serializers
from anchors.models import Anchor
from anchors.services.attaching import attach_upload
from anchors.services.uploads import confirm_screenshot_upload, upload_screenshot
from config.api.responses import created
from config.api.serializers import read_body
from config.api.viewsets import ApiViewSet
from jobs.models import Job


class _OfJob(ApiViewSet[Job]):
    lookup_url_kwarg = "job_id"

    def get_queryset(self) -> QuerySet[Job]:
        return Job.objects.visible_to(self.request.user)


@schema.screenshot_uploads
class ScreenshotUploadViewSet(_OfJob):
    def create(self, request: Request, job_id: str) -> Response:
        job = self.get_object()
        body = read_body(serializers.ScreenshotUploadBody, request)
        ticket = upload_screenshot(job=job, user=request.user, **body)
        return created(serializers.ScreenshotUploadSerializer(ticket).data)


@schema.screenshot_confirmations
class ScreenshotConfirmationViewSet(_OfJob):
    def create(self, request: Request, job_id: str, upload_id: str) -> Response:
        job = self.get_object()
        body = read_body(serializers.ConfirmScreenshotUploadBody, request)
        asset = confirm_screenshot_upload(job=job, user=request.user, upload_id=upload_id, declared=body)
        return Response(serializers.ConfirmedScreenshotUploadSerializer({"asset": asset}).data)


@schema.anchor_uploads
class AnchorUploadViewSet(ApiViewSet[Anchor]):
    lookup_url_kwarg = "anchor_id"

    def get_queryset(self) -> QuerySet[Anchor]:
        return Anchor.objects.visible_to(self.request.user).select_related("instruction")

    def create(self, request: Request, anchor_id: str) -> Response:
        anchor = self.get_object()
        body = read_body(serializers.AttachUploadBody, request)
        attached = attach_upload(anchor=anchor, user=request.user, **body)
        return Response(serializers.ScreenshotAnchorSerializer(attached).data)
