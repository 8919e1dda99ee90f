"""Shapes of requests and answers of this app, as the contract's section 7 gives them."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from anchors.models import Anchor, Asset, ScreenshotTask
from anchors.render.operations import operations_schema
from config.api.pagination import PageQuery
from config.api.serializers import StrictSerializer, TextOrNull, id_or_null, timestamp
from instructions.api.serializers import CharRange

STRATEGIES = ["precise", "nearest_keyframe"]
FORMATS = ["png", "jpg", "webp"]
ADDRESSES = ("anchor_id", "block_id", "char_range")
MAX_INT = 2**31 - 1


def _address(title: str, name: str, place: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "properties": {"address_type": {"type": "string", "const": name}, name: place},
        "required": ["address_type", name],
        "additionalProperties": False,
    }


_ADDRESSING = {
    "title": "Addressing",
    "discriminator": {"propertyName": "address_type"},
    "oneOf": [
        _address("BlockAddress", "block_id", {"type": "string"}),
        _address("RangeAddress", "char_range", {"$ref": "#/components/schemas/CharRange"}),
    ],
}


@extend_schema_field(_ADDRESSING)
class AddressingBody(StrictSerializer):
    address_type = serializers.ChoiceField(Anchor.AddressType.choices)
    block_id = serializers.UUIDField(required=False)
    char_range = CharRange(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if {"block_id", "char_range"} & set(attrs) != {attrs["address_type"]}:
            raise serializers.ValidationError("Send block_id or char_range, the one that address_type names.")
        return attrs


class AnchorBody(StrictSerializer):
    instruction_version_id = serializers.CharField()
    addressing = AddressingBody()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of `create_anchor`."""
        addressing = attrs["addressing"]
        address_type = addressing["address_type"]
        return {
            "instruction_version_id": attrs["instruction_version_id"],
            "address": {address_type: addressing[address_type]},
        }


class ExtractBody(StrictSerializer):
    schema_rules = {"not": {"anyOf": [{"required": list(pair)} for pair in combinations(ADDRESSES, 2)]}}
    instruction_id = serializers.CharField()
    instruction_version_id = serializers.CharField()
    timestamp_ms = serializers.IntegerField(min_value=0, max_value=MAX_INT)
    offset_ms = serializers.IntegerField(min_value=-60_000, max_value=60_000, default=0)
    strategy = serializers.ChoiceField(STRATEGIES, default="precise")
    format = serializers.ChoiceField(FORMATS, default="png")
    anchor_id = serializers.CharField(required=False)
    block_id = serializers.UUIDField(required=False)
    char_range = CharRange(required=False)
    idempotency_key = serializers.CharField(max_length=255, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(set(ADDRESSES) & set(attrs)) > 1:
            raise serializers.ValidationError("Send at most one of anchor_id, block_id and char_range.")
        return attrs


@extend_schema_field(operations_schema())
class OperationsField(serializers.JSONField):
    """Checked by the renderer, which knows what it can draw."""


class AnnotationBody(StrictSerializer):
    base_asset_id = serializers.CharField()
    operations = OperationsField()
    idempotency_key = serializers.CharField(max_length=255, required=False)


class AnchorListQuery(PageQuery):
    instruction_version_id = serializers.CharField(required=False)
    include_deleted_assets = serializers.BooleanField(default=False)


class AnchorQuery(StrictSerializer):
    target_instruction_version_id = serializers.CharField(required=False)


@extend_schema_field(_ADDRESSING)
class AddressingField(serializers.DictField):
    """As the row gives it."""


class ScreenshotAssetSerializer(serializers.ModelSerializer[Asset]):
    anchor_id = serializers.UUIDField(allow_null=True)
    previous_asset_id = serializers.UUIDField(allow_null=True)
    image_uri = serializers.URLField()
    mime_type = serializers.ChoiceField(["image/png", "image/jpeg", "image/webp"])
    extraction_key = TextOrNull()
    upload_id = serializers.UUIDField(allow_null=True, read_only=True, default=None)
    ops_hash = TextOrNull()
    rendered_from_asset_id = serializers.UUIDField(source="rendered_from_id", allow_null=True)
    is_deleted = serializers.BooleanField()

    class Meta:
        model = Asset
        fields = (
            "id",
            "anchor_id",
            "version",
            "kind",
            "previous_asset_id",
            "image_uri",
            "mime_type",
            "width",
            "height",
            "extraction_key",
            "checksum_sha256",
            "upload_id",
            "ops_hash",
            "rendered_from_asset_id",
            "is_deleted",
            "created_at",
        )

    def to_representation(self, instance: Asset) -> dict[str, Any]:
        return {
            "id": str(instance.pk),
            "anchor_id": id_or_null(instance.anchor_id),
            "version": instance.version,
            "kind": instance.kind,
            "previous_asset_id": id_or_null(instance.previous_asset_id),
            "image_uri": settings.PUBLIC_URL + reverse("asset-content", args=[instance.pk]),
            "mime_type": instance.mime_type,
            "width": instance.width,
            "height": instance.height,
            "extraction_key": instance.extraction_key or None,
            "checksum_sha256": instance.checksum_sha256,
            "upload_id": None,
            "ops_hash": instance.ops_hash or None,
            "rendered_from_asset_id": id_or_null(instance.rendered_from_id),
            "is_deleted": instance.is_deleted,
            "created_at": timestamp(instance.created_at),
        }


_PLACE = {
    "title": "ResolvedPlace",
    "type": "object",
    "properties": {"block_id": {"type": "string"}, "char_range": {"$ref": "#/components/schemas/CharRange"}},
}
_METHODS = ["block_id", "text", "text_nearest", "text_ambiguous", "similarity", "none", "same_version"]


@extend_schema_field(
    {
        "title": "ResolutionTrace",
        "type": "object",
        "properties": {
            "method": {"type": "string", "enum": _METHODS},
            "score": {"type": "number", "minimum": 0, "maximum": 1},
            "from": _PLACE,
            "to": {"oneOf": [_PLACE, {"type": "null"}]},
        },
        "required": ["method", "score", "from", "to"],
    }
)
class TraceField(serializers.DictField):
    """As `anchors.resolve` gives it."""


class AnchorResolutionSerializer(serializers.Serializer[Any]):
    source_instruction_version_id = serializers.UUIDField()
    target_instruction_version_id = serializers.UUIDField()
    resolution_state = serializers.ChoiceField(["retain", "remap", "unresolved"])
    trace = TraceField()


class ScreenshotAnchorSerializer(serializers.ModelSerializer[Anchor]):
    instruction_id = serializers.UUIDField()
    instruction_version_id = serializers.UUIDField()
    addressing = AddressingField()
    active_asset_id = serializers.UUIDField(allow_null=True)
    assets = serializers.SerializerMethodField()
    resolution = AnchorResolutionSerializer(required=False)

    class Meta:
        model = Anchor
        fields = (
            "id",
            "instruction_id",
            "instruction_version_id",
            "addressing",
            "active_asset_id",
            "assets",
            "resolution",
            "created_at",
            "updated_at",
        )

    def get_assets(self, anchor: Anchor) -> ScreenshotAssetSerializer(many=True):  # type: ignore[valid-type]
        shown = sorted(anchor.assets.all(), key=lambda asset: asset.version)
        if not self.context.get("include_deleted_assets"):
            shown = [asset for asset in shown if not asset.is_deleted]
        return ScreenshotAssetSerializer(shown, many=True).data

    def to_representation(self, instance: Anchor) -> dict[str, Any]:
        shown = super().to_representation(instance)
        if resolution := self.context.get("resolution"):
            shown["resolution"] = AnchorResolutionSerializer(resolution).data
        return shown


class ScreenshotTaskSerializer(serializers.ModelSerializer[ScreenshotTask]):
    task_id = serializers.UUIDField(source="pk")
    status = serializers.ChoiceField(["PENDING", "RUNNING", "SUCCEEDED", "FAILED"])
    anchor_id = serializers.UUIDField(required=False)
    asset_id = serializers.UUIDField(required=False)
    extracted_at_ms = serializers.IntegerField(required=False)

    class Meta:
        model = ScreenshotTask
        fields = (
            "task_id",
            "operation",
            "status",
            "anchor_id",
            "asset_id",
            "extracted_at_ms",
            "failure_code",
            "failure_message",
        )

    def to_representation(self, instance: ScreenshotTask) -> dict[str, Any]:
        shown = {
            "task_id": str(instance.pk),
            "operation": instance.operation,
            "status": instance.status,
            "anchor_id": id_or_null(instance.anchor_id),
            "asset_id": id_or_null(instance.asset_id),
            "extracted_at_ms": instance.extracted_at_ms,
            "failure_code": instance.failure_code,
            "failure_message": instance.failure_message,
        }
        return {key: value for key, value in shown.items() if value not in (None, "")}


class AssetDeletionSerializer(serializers.Serializer[Any]):
    anchor_id = serializers.UUIDField()
    deleted_asset_id = serializers.UUIDField()
    active_asset_id = serializers.UUIDField(allow_null=True)


class AnnotationResultSerializer(serializers.Serializer[Any]):
    anchor_id = serializers.UUIDField()
    base_asset_id = serializers.UUIDField()
    ops_hash = serializers.CharField()
    rendered_asset_id = serializers.UUIDField()
    active_asset_id = serializers.UUIDField()
