"""Shapes of pictures."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from anchors.models import Asset
from config.api.serializers import TextOrNull, id_or_null, timestamp


class FrameSerializer(serializers.Serializer[Any]):
    extracted_at_ms = serializers.IntegerField()
    pts = serializers.IntegerField()
    time_base = serializers.CharField()
    pix_fmt = serializers.CharField()
    frame_sha256 = serializers.CharField()


class ScreenshotAssetSerializer(serializers.ModelSerializer[Asset]):
    anchor_id = serializers.UUIDField(allow_null=True)
    previous_asset_id = serializers.UUIDField(allow_null=True)
    image_uri = serializers.URLField()
    mime_type = serializers.ChoiceField(["image/png", "image/jpeg", "image/webp"])
    extraction_key = TextOrNull()
    upload_id = serializers.UUIDField(allow_null=True)
    ops_hash = TextOrNull()
    rendered_from_asset_id = serializers.UUIDField(source="rendered_from_id", allow_null=True)
    frame = FrameSerializer(allow_null=True)
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
            "frame",
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
            "upload_id": id_or_null(instance.upload_id),
            "ops_hash": instance.ops_hash or None,
            "rendered_from_asset_id": id_or_null(instance.rendered_from_id),
            "frame": instance.frame and {"extracted_at_ms": instance.extracted_at_ms, **instance.frame},
            "is_deleted": instance.is_deleted,
            "created_at": timestamp(instance.created_at),
        }


class AssetDeletionSerializer(serializers.Serializer[Any]):
    anchor_id = serializers.UUIDField()
    deleted_asset_id = serializers.UUIDField()
    active_asset_id = serializers.UUIDField(allow_null=True)
