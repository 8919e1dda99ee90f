"""Base of every request serializer: what it does not know, it refuses by name."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request


class StrictSerializer(serializers.Serializer[Any]):
    """A body (or query) with unknown fields is a 400 that names each of them."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError(
                {
                    name: [serializers.ErrorDetail("This field is not known.", "unknown_field")]
                    for name in unknown
                }
            )
        return super().to_internal_value(data)


def read_body(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The validated body; raises DRF's ValidationError."""
    bound = serializer(data=request.data)
    bound.is_valid(raise_exception=True)
    return dict(bound.validated_data)


def read_query(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The validated query; parameters given twice are lists where the field is one, else the last counts."""
    raw = {
        name: values if isinstance(serializer().fields.get(name), serializers.ListField) else values[-1]
        for name, values in request.query_params.lists()
    }
    bound = serializer(data=raw)
    bound.is_valid(raise_exception=True)
    return dict(bound.validated_data)
