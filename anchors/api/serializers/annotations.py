"""Shapes of annotations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from anchors.render.operations import operations_schema
from config.api.serializers import StrictSerializer


@extend_schema_field(operations_schema())
class OperationsField(serializers.JSONField):
    """Checked by the renderer, which knows what it can draw."""


class AnnotationBody(StrictSerializer):
    base_asset_id = serializers.CharField()
    operations = OperationsField()
    idempotency_key = serializers.CharField(max_length=255, required=False)


class AnnotationResultSerializer(serializers.Serializer[Any]):
    anchor_id = serializers.UUIDField()
    base_asset_id = serializers.UUIDField()
    ops_hash = serializers.CharField()
    rendered_asset_id = serializers.UUIDField()
    active_asset_id = serializers.UUIDField()
