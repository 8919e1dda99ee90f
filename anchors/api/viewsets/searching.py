"""What should be hidden in a job's video, as suggestions, and taking them on."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from anchors.api import schema, serializers
from anchors.services.searching import accept_suggestions, require_searched
from config.api.pagination import PageQuery
from config.api.responses import created
from config.api.serializers import read_body
from config.api.viewsets import ApiViewSet
from jobs.models import Job


@schema.redaction_suggestions
class RedactionSuggestionViewSet(ApiViewSet[Job]):
    lookup_url_kwarg = "job_id"
    query_serializers = {"list": PageQuery}

    def get_queryset(self) -> QuerySet[Job]:
        return Job.objects.visible_to(self.request.user)

    def list(self, request: Request, job_id: str) -> Response:
        job = self.get_object()
        require_searched(job)
        rows = job.redaction_suggestions.all()
        return self.page(rows, serializers.RedactionSuggestionSerializer, oldest_first=True)

    def create(self, request: Request, job_id: str) -> Response:
        job = self.get_object()
        body = read_body(serializers.AcceptBody, request)
        accepted = accept_suggestions(job=job, user=request.user, **body)
        return created(serializers.RedactionSerializer(accepted, many=True).data)
