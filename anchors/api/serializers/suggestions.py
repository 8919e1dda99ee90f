"""Shapes of suggested moments, and of what asks for pictures at them."""

from __future__ import annotations

from typing import Any, get_args

from rest_framework import serializers

from anchors.suggest import Reason
from config.api.serializers import StrictSerializer


class SuggestionSerializer(serializers.Serializer[Any]):
    block_id = serializers.CharField()
    timestamp_ms = serializers.IntegerField()
    score = serializers.FloatField(min_value=0, max_value=1)
    reason = serializers.ChoiceField(list(get_args(Reason)))


class AutoBody(StrictSerializer):
    instruction_version_id = serializers.CharField()
