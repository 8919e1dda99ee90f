"""Shapes of redactions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from anchors.models import Redaction, RedactionRun, RedactionSuggestion
from config.api.serializers import StrictSerializer, timestamp

MAX_INT = 2**31 - 1
MAX_ACCEPTED = 100  # at once


class RegionBody(StrictSerializer):
    x = serializers.FloatField(min_value=0, max_value=1)
    y = serializers.FloatField(min_value=0, max_value=1)
    width = serializers.FloatField(min_value=0, max_value=1)
    height = serializers.FloatField(min_value=0, max_value=1)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for start, length in (("x", "width"), ("y", "height")):
            if attrs[length] == 0:
                raise serializers.ValidationError({length: "It is empty."})
            if attrs[start] + attrs[length] > 1 + 1e-9:  # as of operations: sums of decimals are seldom exact
                raise serializers.ValidationError({length: "The region goes beyond the picture."})
        return attrs


class RedactionBody(StrictSerializer):
    start_ms = serializers.IntegerField(min_value=0, max_value=MAX_INT)
    end_ms = serializers.IntegerField(min_value=0, max_value=MAX_INT)
    region = RegionBody()
    mode = serializers.ChoiceField(Redaction.Mode.choices, default=Redaction.Mode.PIXELATE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["end_ms"] < attrs["start_ms"]:
            raise serializers.ValidationError({"end_ms": "It is before start_ms."})
        return attrs


class RegionSerializer(serializers.Serializer[Any]):
    x = serializers.FloatField()
    y = serializers.FloatField()
    width = serializers.FloatField()
    height = serializers.FloatField()


class RedactionSerializer(serializers.ModelSerializer[Redaction]):
    job_id = serializers.UUIDField()
    region = RegionSerializer()
    status = serializers.ChoiceField(["PENDING", "RUNNING", "SUCCEEDED", "FAILED"])
    failure_code = serializers.CharField(allow_null=True)
    failure_message = serializers.CharField(allow_null=True)

    class Meta:
        model = Redaction
        fields = (
            "id",
            "job_id",
            "start_ms",
            "end_ms",
            "region",
            "mode",
            "status",
            "failure_code",
            "failure_message",
            "created_at",
        )

    def to_representation(self, instance: Redaction) -> dict[str, Any]:
        run: RedactionRun | None = getattr(instance.job, "redaction_run", None)
        return {
            "id": str(instance.pk),
            "job_id": str(instance.job_id),
            "start_ms": instance.start_ms,
            "end_ms": instance.end_ms,
            "region": {name: getattr(instance, name) for name in ("x", "y", "width", "height")},
            "mode": instance.mode,
            "status": run.status if run else RedactionRun.SUCCEEDED,
            "failure_code": (run and run.failure_code) or None,
            "failure_message": (run and run.failure_message) or None,
            "created_at": timestamp(instance.created_at),
        }


class RedactionSuggestionSerializer(serializers.ModelSerializer[RedactionSuggestion]):
    suggestion_id = serializers.CharField()
    region = RegionSerializer()
    confidence = serializers.FloatField(min_value=0, max_value=1)

    class Meta:
        model = RedactionSuggestion
        fields = ("suggestion_id", "kind", "start_ms", "end_ms", "region", "confidence")

    def to_representation(self, instance: RedactionSuggestion) -> dict[str, Any]:
        return {
            "suggestion_id": str(instance.pk),
            "kind": instance.kind,
            "start_ms": instance.start_ms,
            "end_ms": instance.end_ms,
            "region": {name: getattr(instance, name) for name in ("x", "y", "width", "height")},
            "confidence": instance.confidence,
        }


class AcceptBody(StrictSerializer):
    suggestion_ids = serializers.ListField(
        child=serializers.CharField(max_length=64), min_length=1, max_length=MAX_ACCEPTED
    )
