"""Anchors, and what is drawn on their pictures."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from anchors.api import schema, serializers
from anchors.api.viewsets.tasks import begun
from anchors.models import Anchor, shown_assets
from anchors.services.anchors import create_anchor
from anchors.services.annotation import annotate_anchor
from anchors.services.annotation_tasks import request_annotation
from anchors.services.replacing import replace_screenshot
from anchors.services.resolutions import resolve_anchors, sources_of
from config.api.ownership import get_visible, parse_id
from config.api.preferences import RESPOND_ASYNC, prefers
from config.api.responses import created
from config.api.serializers import read_body
from config.api.viewsets import ApiViewSet
from instructions.models import Instruction


@schema.anchors
class AnchorViewSet(ApiViewSet[Anchor]):
    lookup_url_kwarg = "anchor_id"
    query_serializers = {"list": serializers.AnchorListQuery, "retrieve": serializers.AnchorQuery}

    def get_queryset(self) -> QuerySet[Anchor]:
        anchors = Anchor.objects.visible_to(self.request.user)
        if self.action == "replace":
            return anchors.select_related("instruction__job")
        if self.action == "retrieve":
            return anchors.select_related("instruction").prefetch_related(shown_assets())
        return anchors

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
            anchors.prefetch_related(shown_assets()), serializers.ScreenshotAnchorSerializer, context=context
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
        if prefers(request, RESPOND_ASYNC):
            task, replayed = request_annotation(anchor=anchor, user=request.user, **body)
            response = begun(task, replayed=replayed)
            response["Preference-Applied"] = RESPOND_ASYNC
            return response
        annotated = annotate_anchor(anchor=anchor, user=request.user, **body)
        return Response(serializers.AnnotationResultSerializer(annotated).data)

    @action(detail=True, methods=["post"])
    def replace(self, request: Request, anchor_id: str) -> Response:
        anchor = self.get_object()
        body = read_body(serializers.ReplaceBody, request)
        task, replayed = replace_screenshot(anchor=anchor, user=request.user, body=body)
        return begun(task, replayed=replayed)


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
        "source_instruction_version_id": sources_of([anchor], target)[anchor.pk].version_id,
        "target_instruction_version_id": target.pk,
        "resolution_state": found.state,
        "trace": found.trace,
    }
