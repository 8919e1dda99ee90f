"""Shapes of uploads of pictures."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from anchors.api.serializers.assets import ScreenshotAssetSerializer
from anchors.services.uploads import MAX_BYTES, SUFFIXES
from config.api.serializers import StrictSerializer
from jobs.api.serializers import PutField

MIME_TYPES = list(SUFFIXES)
MAX_SIDE = 2**31 - 1


class PictureSizeField(serializers.IntegerField):
    """At most `MAX_BYTES`."""

    default_error_messages = {"max_value": f"A picture has at most {MAX_BYTES} bytes."}

    def __init__(self) -> None:
        super().__init__(min_value=1, max_value=MAX_BYTES)

    def run_validators(self, value: Any) -> None:
        if value > MAX_BYTES:
            raise serializers.ValidationError(self.error_messages["max_value"], code="too_large")
        super().run_validators(value)


class Sha256Field(serializers.RegexField):
    def __init__(self) -> None:
        super().__init__(r"^[0-9a-f]{64}\Z", trim_whitespace=False)


class ScreenshotUploadBody(StrictSerializer):
    filename = serializers.CharField(max_length=255)
    mime_type = serializers.ChoiceField(MIME_TYPES)
    size_bytes = PictureSizeField()
    checksum_sha256 = Sha256Field()


class ScreenshotUploadSerializer(serializers.Serializer[Any]):
    upload_id = serializers.UUIDField()
    upload_url = serializers.URLField()
    method = PutField()
    headers = serializers.DictField(child=serializers.CharField())
    expires_at = serializers.DateTimeField()
    max_size_bytes = serializers.IntegerField()
    allowed_mime_types = serializers.ListField(child=serializers.ChoiceField(MIME_TYPES))


class ConfirmScreenshotUploadBody(StrictSerializer):
    mime_type = serializers.ChoiceField(MIME_TYPES)
    size_bytes = PictureSizeField()
    checksum_sha256 = Sha256Field()
    width = serializers.IntegerField(min_value=1, max_value=MAX_SIDE)
    height = serializers.IntegerField(min_value=1, max_value=MAX_SIDE)


class ConfirmedScreenshotUploadSerializer(serializers.Serializer[Any]):
    asset = ScreenshotAssetSerializer()


class AttachUploadBody(StrictSerializer):
    upload_id = serializers.CharField()
    instruction_version_id = serializers.CharField()
    idempotency_key = serializers.CharField(max_length=255, required=False)
