"""Shapes of requests and answers of this app, as the contract's section 6 gives them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from config.api.serializers import StrictSerializer, TextOrNull
from instructions.models import InstructionVersion


class InstructionQuery(StrictSerializer):
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False)


class SaveBody(StrictSerializer):
    base_version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    markdown = serializers.CharField(allow_blank=True, trim_whitespace=False)


class InstructionBlockSerializer(serializers.Serializer[Any]):
    block_id = serializers.UUIDField()
    kind = serializers.CharField()
    title = serializers.CharField(required=False)
    start_offset = serializers.IntegerField()
    end_offset = serializers.IntegerField()
    start_ms = serializers.IntegerField(required=False)
    end_ms = serializers.IntegerField(required=False)


class ValidationIssueSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    path = serializers.CharField()


@extend_schema_serializer(deprecate_fields=["id"])
class InstructionSerializer(serializers.Serializer[InstructionVersion]):
    instruction_id = serializers.UUIDField()
    id = serializers.UUIDField(source="instruction_id", help_text="The same value as instruction_id.")
    job_id = serializers.UUIDField(source="instruction.job_id")
    version = serializers.IntegerField()
    instruction_version_id = serializers.UUIDField(source="pk")
    markdown = serializers.CharField()
    blocks = serializers.SerializerMethodField()
    updated_at = serializers.DateTimeField(source="created_at")
    validation_status = serializers.ChoiceField(["PASS", "FAIL"])
    validation_errors = ValidationIssueSerializer(many=True)
    validated_at = serializers.DateTimeField()
    validator_version = serializers.CharField()
    model_profile_id = TextOrNull()
    prompt_template_id = TextOrNull()
    prompt_params_ref = TextOrNull()

    def get_blocks(self, version: InstructionVersion) -> InstructionBlockSerializer(many=True):  # type: ignore[valid-type]
        shown = InstructionBlockSerializer().fields
        return [
            {name: value for name, value in block.items() if name in shown and value not in (None, "")}
            for block in version.blocks
        ]


class InstructionVersionSerializer(serializers.Serializer[InstructionVersion]):
    instruction_version_id = serializers.UUIDField(source="pk")
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    source = serializers.ChoiceField(InstructionVersion.Source.choices)  # type: ignore[assignment]
    validation_status = serializers.ChoiceField(["PASS", "FAIL"])
