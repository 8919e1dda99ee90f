"""Redactions."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from anchors.api import schema, serializers
from anchors.models import Redaction
from anchors.services.redactions import add_redaction, delete_redaction
from config.api.ownership import get_visible
from config.api.pagination import PageQuery
from config.api.responses import created
from config.api.serializers import read_body
from config.api.viewsets import ApiViewSet
from jobs.models import Job


@schema.redactions
class RedactionViewSet(ApiViewSet[Redaction]):
    lookup_url_kwarg = "redaction_id"
    query_serializers = {"list": PageQuery}

    def get_queryset(self) -> QuerySet[Redaction]:
        return Redaction.objects.visible_to(self.request.user)

    def create(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        body = read_body(serializers.RedactionBody, request)
        redaction = add_redaction(job=job, user=request.user, **body)
        return created(serializers.RedactionSerializer(redaction).data)

    def list(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        redactions = job.redactions.select_related("job__redaction_run")
        return self.page(redactions, serializers.RedactionSerializer)

    def destroy(self, request: Request, redaction_id: str) -> Response:
        delete_redaction(redaction=self.get_object(), user=request.user)
        return Response(status=204)
