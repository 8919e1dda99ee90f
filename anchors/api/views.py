"""Routes of anchors, screenshot tasks and pictures."""

from __future__ import annotations

from django.http import FileResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from anchors import services
from anchors.api import serializers as s
from anchors.models import Anchor, Asset, ScreenshotTask
from anchors.resolve import resolve
from config.api import errors
from config.api.endpoint import Endpoint
from config.api.files import AnyAccept
from config.api.ownership import get_visible, parse_id
from config.api.pagination import page_response, read_page
from config.api.schema import accepted, answers
from config.api.serializers import read_body
from config.api.storage import storage
from instructions.models import Instruction
from jobs.models import Job


class Anchors(Endpoint):
    queries = {"GET": s.AnchorListQuery}

    @extend_schema(
        operation_id="createAnchor",
        summary="Put an anchor on a block or a passage",
        request=s.AnchorBody,
        responses=answers(201, s.AnchorSerializer, "FSM_TRANSITION_INVALID", "FSM_TERMINAL_IMMUTABLE"),
    )
    def post(self, request: Request, instruction_id: str) -> Response:
        instruction = get_visible(Instruction.objects.visible_to(request.user), instruction_id)
        body = read_body(s.AnchorBody, request)
        addressing = body["addressing"]
        anchor = services.create_anchor(
            instruction=instruction,
            user=request.user,
            instruction_version_id=body["instruction_version_id"],
            address={addressing["address_type"]: addressing[addressing["address_type"]]},
            strategy=addressing["strategy"],
        )
        return Response(s.AnchorSerializer(anchor).data, 201)

    @extend_schema(
        operation_id="listAnchors",
        summary="List the anchors of an instruction",
        responses=answers(200, s.AnchorSerializer, many=True),
    )
    def get(self, request: Request, instruction_id: str) -> Response:
        instruction = get_visible(Instruction.objects.visible_to(request.user), instruction_id)
        anchors = instruction.anchors.prefetch_related("assets")
        if "instruction_version_id" in self.query:
            anchors = anchors.filter(instruction_version=parse_id(self.query["instruction_version_id"]))
        rows, following = read_page(anchors, request, self.query)
        context = {"include_deleted_assets": self.query["include_deleted_assets"]}
        return page_response(s.AnchorSerializer(rows, many=True, context=context).data, following)


class AnchorDetail(Endpoint):
    queries = {"GET": s.AnchorQuery}

    @extend_schema(
        operation_id="getAnchor",
        summary="Get an anchor, resolved into a version if asked",
        responses=answers(200, s.AnchorSerializer),
    )
    def get(self, request: Request, anchor_id: str) -> Response:
        anchors = Anchor.objects.visible_to(request.user).select_related("instruction", "instruction_version")
        anchor = get_visible(anchors, anchor_id)
        context = {}
        if "target_instruction_version_id" in self.query:
            context["resolution"] = self._resolution(anchor, self.query["target_instruction_version_id"])
        return Response(s.AnchorSerializer(anchor, context=context).data)

    def _resolution(self, anchor: Anchor, raw_id: str) -> dict[str, object]:
        target = anchor.instruction.versions.filter(pk=parse_id(raw_id)).first()
        if target is None:
            raise errors.not_found()
        found = resolve(anchor.addressing, source=anchor.instruction_version.markdown, target=target.markdown)
        return {
            "source_instruction_version_id": anchor.instruction_version_id,
            "target_instruction_version_id": target.pk,
            "resolution_state": found.state,
            "trace": found.trace,
        }


class Extract(Endpoint):
    @extend_schema(
        operation_id="extractScreenshot",
        summary="Take a picture out of the video",
        request=s.ExtractBody,
        responses=accepted(
            s.ScreenshotTaskSerializer,
            "FSM_TRANSITION_INVALID",
            "FSM_TERMINAL_IMMUTABLE",
            "IDEMPOTENCY_KEY_REUSED",
        ),
    )
    def post(self, request: Request, job_id: str) -> Response:
        job = get_visible(Job.objects.visible_to(request.user), job_id)
        body = read_body(s.ExtractBody, request)
        task, replayed = services.extract_screenshot(job=job, user=request.user, body=body)
        poll = {} if replayed else {"Location": f"/api/v1/screenshot-tasks/{task.pk}", "Retry-After": "1"}
        return Response(s.ScreenshotTaskSerializer(task).data, 200 if replayed else 202, headers=poll)


class TaskDetail(Endpoint):
    @extend_schema(
        operation_id="getScreenshotTask",
        summary="Get a screenshot task",
        responses=answers(200, s.ScreenshotTaskSerializer),
    )
    def get(self, request: Request, task_id: str) -> Response:
        task = get_visible(ScreenshotTask.objects.visible_to(request.user), task_id)
        return Response(s.ScreenshotTaskSerializer(task).data)


class Annotations(Endpoint):
    @extend_schema(
        operation_id="annotateAnchor",
        summary="Draw on a picture of an anchor",
        request=s.AnnotationBody,
        responses=answers(
            200, s.AnnotationSerializer, "FSM_TRANSITION_INVALID", "FSM_TERMINAL_IMMUTABLE", "STORAGE_FULL"
        ),
    )
    def post(self, request: Request, anchor_id: str) -> Response:
        anchor = get_visible(Anchor.objects.visible_to(request.user), anchor_id)
        body = read_body(s.AnnotationBody, request)
        done = services.annotate_anchor(
            anchor=anchor,
            user=request.user,
            base_asset_id=body["base_asset_id"],
            operations=body["operations"],
        )
        return Response(s.AnnotationSerializer(done).data)


class AssetContent(Endpoint):
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="getAssetContent",
        summary="Get the bytes of a picture",
        responses=answers(
            200, bytes, media=("image/png", "image/jpeg", "image/webp"), sends=("Cache-Control", "ETag")
        ),
    )
    def get(self, request: Request, asset_id: str) -> FileResponse:
        asset = get_visible(Asset.objects.visible_to(request.user), asset_id)
        try:
            content = storage().open(asset.uri)
        except FileNotFoundError as error:
            raise errors.not_found() from error
        headers = {
            "Cache-Control": "private, max-age=31536000, immutable",
            "ETag": f'"{asset.checksum_sha256}"',
        }
        return FileResponse(content, content_type=asset.mime_type, headers=headers)
