"""Suggested moments of a job's video, and pictures at them."""

from __future__ import annotations

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from anchors.api import schema, serializers
from anchors.services.auto import auto_screenshots
from anchors.services.suggestions import newest_suggestions
from config.api.responses import accepted
from config.api.serializers import read_body
from config.api.viewsets import ApiViewSet
from jobs.models import Job


@schema.suggestions
class SuggestionViewSet(ApiViewSet[Job]):
    lookup_url_kwarg = "job_id"

    def get_queryset(self) -> QuerySet[Job]:
        return Job.objects.visible_to(self.request.user)

    def list(self, request: Request, job_id: str) -> Response:
        found = newest_suggestions(self.get_object())
        return Response(serializers.SuggestionSerializer(found, many=True).data)

    def create(self, request: Request, job_id: str) -> Response:
        job = self.get_object()
        body = read_body(serializers.AutoBody, request)
        tasks, replayed = auto_screenshots(job=job, user=request.user, **body)
        content = serializers.ScreenshotTaskSerializer(tasks, many=True).data
        location = reverse("instruction-anchors", args=[job.instruction_id])
        return accepted(content, location=location, retry_after=1, replayed=replayed)
