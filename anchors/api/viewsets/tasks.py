"""Screenshot tasks."""

from __future__ import annotations

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from anchors.api import schema, serializers
from anchors.models import ScreenshotTask
from anchors.services.extraction import extract_screenshot
from config.api.ownership import get_visible
from config.api.responses import accepted
from config.api.serializers import read_body
from config.api.viewsets import ApiViewSet
from jobs.models import Job


@schema.screenshot_tasks
class ScreenshotTaskViewSet(ApiViewSet[ScreenshotTask]):
    lookup_url_kwarg = "task_id"

    def get_queryset(self) -> QuerySet[ScreenshotTask]:
        return ScreenshotTask.objects.visible_to(self.request.user)

    def create(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        body = read_body(serializers.ExtractBody, request)
        task, replayed = extract_screenshot(job=job, user=request.user, body=body)
        return begun(task, replayed=replayed)

    def retrieve(self, request: Request, task_id: str) -> Response:
        return Response(serializers.ScreenshotTaskSerializer(self.get_object()).data)


def begun(task: ScreenshotTask, *, replayed: bool) -> Response:
    """Return 202 with where to poll, or 200 for a task that was there."""
    content = serializers.ScreenshotTaskSerializer(task).data
    location = reverse("screenshot-task-detail", args=[task.pk])
    return accepted(content, location=location, retry_after=1, replayed=replayed)
