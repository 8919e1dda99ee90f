"""Shapes of the operations that edit steps: a body of its own for each, told apart by `op`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from config.api.serializers import StrictSerializer
from instructions import edits

MAX_OPERATIONS = 100
MAX_TITLE = 200
MAX_MERGED = 100
MAX_INT = 2**31 - 1
CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"


class OperationName(serializers.ChoiceField):
    """The value by which an operation is told from others."""

    def __init__(self, name: str) -> None:
        super().__init__([name])
        self.name = name


class DescribeOperationName(OpenApiSerializerFieldExtension):
    target_class = OperationName

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return {"type": "string", "const": self.target.name}


@extend_schema_field(
    {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_TITLE,
        "pattern": rf"^[^{CONTROL}]*[^\s{CONTROL}][^{CONTROL}]*$",
    }
)
class TitleField(serializers.CharField):
    """Plain text on one line."""

    default_error_messages = {"invalid": "Give one line, without control characters."}

    def __init__(self) -> None:
        super().__init__(max_length=MAX_TITLE)

    def to_internal_value(self, data: Any) -> str:
        title = super().to_internal_value(data)
        if re.search(rf"[{CONTROL}]", title):
            self.fail("invalid")
        return title


class SetTitleOperation(StrictSerializer):
    op = OperationName("set_title")
    block_id = serializers.UUIDField()
    title = TitleField()

    def validate(self, attrs: dict[str, Any]) -> edits.SetTitle:
        return edits.SetTitle(str(attrs["block_id"]), attrs["title"])


class ReplaceBlockOperation(StrictSerializer):
    op = OperationName("replace_block")
    block_id = serializers.UUIDField()
    markdown = serializers.CharField(trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> edits.ReplaceBlock:
        return edits.ReplaceBlock(str(attrs["block_id"]), attrs["markdown"])


class InsertStepOperation(StrictSerializer):
    schema_rules = {"dependentRequired": {"start_ms": ["end_ms"], "end_ms": ["start_ms"]}}
    op = OperationName("insert_step")
    after = serializers.UUIDField(allow_null=True)
    title = TitleField()
    markdown = serializers.CharField(allow_blank=True, trim_whitespace=False, default="")
    start_ms = serializers.IntegerField(min_value=0, max_value=MAX_INT, required=False)
    end_ms = serializers.IntegerField(min_value=0, max_value=MAX_INT, required=False)

    def validate(self, attrs: dict[str, Any]) -> edits.InsertStep:
        missing = [name for name in ("start_ms", "end_ms") if name not in attrs]
        if len(missing) == 1:
            raise serializers.ValidationError(
                {missing[0]: "Give start_ms and end_ms, or neither."}, "required"
            )
        span = None if missing else (attrs["start_ms"], attrs["end_ms"])
        if span and span[0] > span[1]:
            raise serializers.ValidationError({"end_ms": "A step does not end before it begins."}, "invalid")
        return edits.InsertStep(_id(attrs["after"]), attrs["title"], attrs["markdown"], span)


class DeleteStepOperation(StrictSerializer):
    op = OperationName("delete_step")
    block_id = serializers.UUIDField()

    def validate(self, attrs: dict[str, Any]) -> edits.DeleteStep:
        return edits.DeleteStep(str(attrs["block_id"]))


class MoveStepOperation(StrictSerializer):
    op = OperationName("move_step")
    block_id = serializers.UUIDField()
    after = serializers.UUIDField(allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> edits.MoveStep:
        return edits.MoveStep(str(attrs["block_id"]), _id(attrs["after"]))


class MergeStepsOperation(StrictSerializer):
    op = OperationName("merge_steps")
    block_ids = serializers.ListField(child=serializers.UUIDField(), min_length=2, max_length=MAX_MERGED)

    def validate(self, attrs: dict[str, Any]) -> edits.MergeSteps:
        return edits.MergeSteps([str(block_id) for block_id in attrs["block_ids"]])


class SplitStepOperation(StrictSerializer):
    op = OperationName("split_step")
    block_id = serializers.UUIDField()
    at = serializers.UUIDField()
    title = TitleField()

    def validate(self, attrs: dict[str, Any]) -> edits.SplitStep:
        return edits.SplitStep(str(attrs["block_id"]), str(attrs["at"]), attrs["title"])


OPERATIONS: Mapping[str, type[StrictSerializer]] = {
    "set_title": SetTitleOperation,
    "replace_block": ReplaceBlockOperation,
    "insert_step": InsertStepOperation,
    "delete_step": DeleteStepOperation,
    "move_step": MoveStepOperation,
    "merge_steps": MergeStepsOperation,
    "split_step": SplitStepOperation,
}


@extend_schema_field(PolymorphicProxySerializer("EditOperation", dict(OPERATIONS), "op"))
class OperationField(serializers.Field[Any, Any, Any, Any]):
    """One of the operations, validated by the serializer that `op` names."""

    default_error_messages = {
        "wrong_type": "This is not an object.",
        "required": "This field is required.",
        "invalid_choice": f"This is one of {', '.join(OPERATIONS)}.",
    }

    def __init__(self) -> None:
        super().__init__()
        self.readers = {name: serializer() for name, serializer in OPERATIONS.items()}

    def to_internal_value(self, data: Any) -> edits.Operation:
        if not isinstance(data, dict):
            self.fail("wrong_type")
        name = data.get("op")
        if not isinstance(name, str) or name not in self.readers:
            try:
                self.fail("invalid_choice" if "op" in data else "required")
            except serializers.ValidationError as error:
                raise serializers.ValidationError({"op": error.detail}) from error
        operation: edits.Operation = self.readers[name].run_validation(data)
        return operation


class EditBody(StrictSerializer):
    base_version = serializers.IntegerField(min_value=1, max_value=MAX_INT)
    operations = serializers.ListField(child=OperationField(), min_length=1, max_length=MAX_OPERATIONS)


def _id(value: object) -> str | None:
    return None if value is None else str(value)
