"""The events of a job's screen, as they are asked for and shown."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from config.api import errors
from config.api.serializers import StrictSerializer
from jobs.media.screen import EventKind
from jobs.models import Job, ScreenEvent


class ScreenEventQuery(StrictSerializer):
    limit = serializers.IntegerField(min_value=1, max_value=500, default=200)
    cursor = serializers.CharField(required=False)


class EventRegionSerializer(serializers.Serializer[Any]):
    x = serializers.FloatField()
    y = serializers.FloatField()
    width = serializers.FloatField()
    height = serializers.FloatField()


class ScreenEventSerializer(serializers.Serializer[Any]):
    event_id = serializers.UUIDField(source="id")
    at_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField(required=False)
    kind = serializers.ChoiceField([str(kind) for kind in EventKind])
    label = serializers.CharField(required=False)  # type: ignore[assignment]  # not the field's own label
    text = serializers.CharField(required=False)
    region = EventRegionSerializer()
    confidence = serializers.FloatField()

    def to_representation(self, instance: ScreenEvent) -> dict[str, Any]:
        shown = {
            "event_id": str(instance.pk),
            "at_ms": instance.at_ms,
            "end_ms": instance.end_ms,
            "kind": instance.kind,
            "label": instance.label or None,
            "text": instance.text or None,
            "region": {side: instance.region[side] for side in ("x", "y", "width", "height")},
            "confidence": instance.confidence,
        }
        return {name: value for name, value in shown.items() if value is not None}


class ScreenEventsSerializer(serializers.Serializer[Any]):
    items = ScreenEventSerializer(many=True)
    limit = serializers.IntegerField()
    next_cursor = serializers.CharField(allow_null=True)


def require_events(job: Job) -> Job:
    """Return the job; raise a 409 while nothing is stored of what its screen shows."""
    if "screen" in job.ingested_uris:
        return job
    raise errors.not_watched(job.status)
