"""The transcript of a job, as it is asked for and shown."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from config.api.serializers import StrictSerializer
from jobs.models import TranscriptSegment


class TranscriptQuery(StrictSerializer):
    limit = serializers.IntegerField(min_value=1, max_value=500, default=200)
    cursor = serializers.CharField(required=False)


class TranscriptSegmentSerializer(serializers.Serializer[Any]):
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    text = serializers.CharField()

    def to_representation(self, instance: TranscriptSegment) -> dict[str, Any]:
        return {"start_ms": instance.start_ms, "end_ms": instance.end_ms, "text": instance.text}


class TranscriptSerializer(serializers.Serializer[Any]):
    items = TranscriptSegmentSerializer(many=True)
    limit = serializers.IntegerField()
    next_cursor = serializers.CharField(allow_null=True)
