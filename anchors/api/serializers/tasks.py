"""Shapes of screenshot tasks, and of what asks for one."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from rest_framework import serializers

from anchors.models import ScreenshotTask
from config.api.serializers import StrictSerializer, id_or_null
from instructions.api.serializers import CharRange

STRATEGIES = ["precise", "nearest_keyframe"]
FORMATS = ["png", "jpg", "webp"]
ADDRESSES = ("anchor_id", "block_id", "char_range")
MAX_INT = 2**31 - 1


class ReplaceBody(StrictSerializer):
    instruction_version_id = serializers.CharField()
    timestamp_ms = serializers.IntegerField(min_value=0, max_value=MAX_INT)
    offset_ms = serializers.IntegerField(min_value=-60_000, max_value=60_000, default=0)
    strategy = serializers.ChoiceField(STRATEGIES, default="precise")
    format = serializers.ChoiceField(FORMATS, default="png")
    idempotency_key = serializers.CharField(max_length=255, required=False)


class ExtractBody(ReplaceBody):
    schema_rules = {"not": {"anyOf": [{"required": list(pair)} for pair in combinations(ADDRESSES, 2)]}}
    instruction_id = serializers.CharField()
    anchor_id = serializers.CharField(required=False)
    block_id = serializers.UUIDField(required=False)
    char_range = CharRange(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(set(ADDRESSES) & set(attrs)) > 1:
            raise serializers.ValidationError("Send at most one of anchor_id, block_id and char_range.")
        return attrs


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
