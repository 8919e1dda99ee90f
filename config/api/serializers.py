"""Base of every request serializer: what it does not know, it refuses by name; what JSON says, it takes at its word.

Serializers of answers declare their fields for the API description, and have a `to_representation` that is written
out, as DRF's goes through the fields one by one and takes 20 times as long. A test holds the two together
(tests/spec/test_representations.py).
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request

from config.api.errors import MAX_ERRORS, MORE_ERRORS

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z", re.IGNORECASE)
STRINGS = (serializers.CharField, serializers.ChoiceField, serializers.UUIDField)
LISTS = (serializers.ListField, serializers.ListSerializer)
OBJECTS = (serializers.Serializer, serializers.DictField)


class StrictSerializer(serializers.Serializer[Any]):
    """A body (or query) with unknown fields is a 400 that names each of them.

    So is a body whose values are of another JSON type than the field's: DRF's fields would take 1 for "1" and
    "yes" for true. Queries are strings, and have the context `{"is_query": True}`. All that is wrong is named at
    once; a serializer's own `validate()`, which holds fields against one another, is called only when each is right.
    """

    def to_internal_value(self, data: Any) -> Any:
        valid: Any = None
        wrong: Any = {}
        try:
            valid = super().to_internal_value(data)
        except serializers.ValidationError as error:
            wrong = error.detail
        if isinstance(data, dict):
            fields = dict(self.fields)
            if not self.root.context.get("is_query"):
                wrong = merge(wrong, wrong_types(fields, data))
            wrong = {**wrong, **unknown_fields(fields, data)}
        if wrong:
            raise serializers.ValidationError(wrong)
        return valid


class TextOrNull(serializers.CharField):
    """A text in an answer, null when it is not known: rows keep "" for that."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_null=True)

    def to_representation(self, value: str) -> Any:
        return value or None


def timestamp(moment: datetime) -> str:
    """Return a time of the database, which is in UTC, after RFC 3339 with `Z`."""
    return moment.isoformat().removesuffix("+00:00") + "Z"


def timestamp_or_null(moment: datetime | None) -> str | None:
    return timestamp(moment) if moment else None


def id_or_null(value: object) -> str | None:
    return str(value) if value else None


class NoBody(StrictSerializer):
    """For calls that take no body: an empty object, or nothing."""


def unknown_fields(known: Container[str], data: dict[str, Any]) -> dict[str, Any]:
    """Return error details: the first MAX_ERRORS by name, and for the others how many they are (`listed`)."""
    unknown = [name for name in data if name not in known]
    details = {
        name: [ErrorDetail("This field is not known.", "unknown_field")] for name in unknown[:MAX_ERRORS]
    }
    if more := len(unknown) - len(details):
        details[""] = [*details.get("", []), ErrorDetail(str(more), MORE_ERRORS)]
    return details


def wrong_types(fields: Mapping[Any, Any], values: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return error details for the values of another JSON type than their fields', in lists too."""
    found: dict[Any, Any] = {}
    for name, field in fields.items():
        value = values.get(name)
        if wanted := wanted_type(field, value):
            found[name] = [ErrorDetail(f"This is not {wanted}.", "wrong_type")]
        elif isinstance(value, list) and isinstance(field, LISTS):
            items = dict(enumerate(value))
            if inside := wrong_types(dict.fromkeys(items, field.child), items):
                found[name] = inside
    return found


def merge(first: Any, second: Any) -> Any:
    """Return error details of both; where both have some of one value, those of the second."""
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return second
    return first | {key: merge(first.get(key), value) for key, value in second.items()}


def wanted_type(field: Any, value: Any) -> str | None:
    """Return what the value of a JSON body should be, or None when it is that, or null (which DRF refuses itself)."""
    if value is None:
        return None
    if isinstance(field, STRINGS):
        return None if isinstance(value, str) else "a string"
    if isinstance(field, serializers.BooleanField):
        return None if isinstance(value, bool) else "true or false"
    if isinstance(field, serializers.IntegerField):
        is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return None if is_whole and not isinstance(value, bool) else "a whole number"
    if isinstance(field, serializers.DateTimeField):
        return None if isinstance(value, str) and RFC_3339.match(value) else "a time after RFC 3339"
    if isinstance(field, OBJECTS):
        return None if isinstance(value, dict) else "an object"
    if isinstance(field, LISTS):
        return None if isinstance(value, list) else "a list"
    return None


def read_body(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """Return the validated body; raise DRF's ValidationError."""
    return validate(serializer, request.data)


def validate(
    serializer: type[serializers.Serializer[Any]], data: Any, *, is_query: bool = False
) -> dict[str, Any]:
    """Return validated data; raise DRF's ValidationError."""
    return dict(_reader(serializer, is_query).run_validation(data))


@cache
def _reader(serializer: type[serializers.Serializer[Any]], is_query: bool) -> serializers.Serializer[Any]:
    # Validation keeps nothing in the instance, and making one copies every field: a third of a callback's time.
    return serializer(context={"is_query": is_query})
