"""Base of every request serializer: what it does not know, it refuses by name; what JSON says, it takes at its word."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z", re.IGNORECASE)
IS_STRING = (serializers.CharField, serializers.ChoiceField, serializers.UUIDField)


class StrictSerializer(serializers.Serializer[Any]):
    """A body (or query) with unknown fields is a 400 that names each of them.

    So is a body whose values are of another JSON type than the field's: DRF's fields would take 1 for "1" and
    "yes" for true. Queries are strings, and have the context `{"is_query": True}`.
    """

    def to_internal_value(self, data: Any) -> Any:
        wrong: dict[str, Any] = {}
        for name, value in data.items() if isinstance(data, dict) else ():
            if name not in self.fields:
                wrong[name] = [serializers.ErrorDetail("This field is not known.", "unknown_field")]
            elif not self.root.context.get("is_query") and (wanted := wrong_type(self.fields[name], value)):
                wrong[name] = [serializers.ErrorDetail(f"This is not {wanted}.", "wrong_type")]
        if wrong:
            raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)


class NoBody(StrictSerializer):
    """For calls that take no body: an empty object, or nothing."""


def wrong_type(field: Any, value: Any) -> str | None:
    """What the value of a JSON body should have been, or None when it is that, or null (which DRF refuses itself)."""
    if value is None:
        return None
    if isinstance(field, serializers.BooleanField):
        return None if isinstance(value, bool) else "true or false"
    if isinstance(field, serializers.IntegerField):
        is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return None if is_whole and not isinstance(value, bool) else "a whole number"
    if isinstance(field, IS_STRING):
        return None if isinstance(value, str) else "a string"
    if isinstance(field, serializers.DateTimeField):
        return None if isinstance(value, str) and RFC_3339.match(value) else "a time after RFC 3339"
    return None


def read_body(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The validated body; raises DRF's ValidationError."""
    return validate(serializer, request.data)


def validate(
    serializer: type[serializers.Serializer[Any]], data: Any, *, is_query: bool = False
) -> dict[str, Any]:
    """Validated data; raises DRF's ValidationError."""
    return dict(_reader(serializer, is_query).run_validation(data))


@cache
def _reader(serializer: type[serializers.Serializer[Any]], is_query: bool) -> serializers.Serializer[Any]:
    # Validation keeps nothing in the instance, and making one copies every field: a third of a callback's time.
    return serializer(context={"is_query": is_query})
