"""Shapes of anchors: their addresses, and where they stand in another version."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from anchors.api.serializers.assets import ScreenshotAssetSerializer
from anchors.models import Anchor
from config.api.pagination import PageQuery
from config.api.serializers import StrictSerializer
from instructions.api.serializers import CharRange


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


class AnchorListQuery(PageQuery):
    instruction_version_id = serializers.CharField(required=False)
    include_deleted_assets = serializers.BooleanField(default=False)


class AnchorQuery(StrictSerializer):
    target_instruction_version_id = serializers.CharField(required=False)


@extend_schema_field(_ADDRESSING)
class AddressingField(serializers.DictField):
    """As the row gives it."""


_PLACE = {
    "title": "ResolvedPlace",
    "type": "object",
    "properties": {"block_id": {"type": "string"}, "char_range": {"$ref": "#/components/schemas/CharRange"}},
}
_METHODS = [
    "block_id",
    "text",
    "text_nearest",
    "text_ambiguous",
    "similarity",
    "none",
    "same_version",
    "by_hand",
]


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

    @extend_schema_field(ScreenshotAssetSerializer(many=True))
    def get_assets(self, anchor: Anchor) -> Any:
        given = (asset for asset in anchor.assets.all() if not asset.is_concealed)
        shown = sorted(given, key=lambda asset: asset.version)
        if not self.context.get("include_deleted_assets"):
            shown = [asset for asset in shown if not asset.is_deleted]
        return ScreenshotAssetSerializer(shown, many=True).data

    def to_representation(self, instance: Anchor) -> dict[str, Any]:
        shown = super().to_representation(instance)
        given = {str(asset.pk) for asset in instance.assets.all() if not asset.is_concealed}
        if shown["active_asset_id"] not in given:  # until what stands in for it is drawn
            shown["active_asset_id"] = None
        if resolution := self.context.get("resolution"):
            shown["resolution"] = AnchorResolutionSerializer(resolution).data
        return shown
