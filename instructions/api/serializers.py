"""Shapes of requests and answers of this app, as the contract's section 6 gives them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from config.api.serializers import StrictSerializer, TextOrNull, timestamp
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


_BLOCK = tuple(InstructionBlockSerializer().fields)


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
    blocks = InstructionBlockSerializer(many=True)
    updated_at = serializers.DateTimeField(source="created_at")
    validation_status = serializers.ChoiceField(["PASS", "FAIL"])
    validation_errors = ValidationIssueSerializer(many=True)
    validated_at = serializers.DateTimeField()
    validator_version = serializers.CharField()
    model_profile_id = TextOrNull()
    prompt_template_id = TextOrNull()
    prompt_params_ref = TextOrNull()

    def to_representation(self, instance: InstructionVersion) -> dict[str, Any]:
        return {
            "instruction_id": str(instance.instruction_id),
            "id": str(instance.instruction_id),
            "job_id": str(instance.instruction.job_id),
            "version": instance.version,
            "instruction_version_id": str(instance.pk),
            "markdown": instance.markdown,
            "blocks": [
                {name: value for name, value in block.items() if name in _BLOCK and value not in (None, "")}
                for block in instance.blocks
            ],
            "updated_at": timestamp(instance.created_at),
            "validation_status": instance.validation_status,
            "validation_errors": instance.validation_errors,
            "validated_at": timestamp(instance.validated_at),
            "validator_version": instance.validator_version,
            "model_profile_id": instance.model_profile_id or None,
            "prompt_template_id": instance.prompt_template_id or None,
            "prompt_params_ref": instance.prompt_params_ref or None,
        }


class InstructionVersionSerializer(serializers.Serializer[InstructionVersion]):
    instruction_version_id = serializers.UUIDField(source="pk")
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    source = serializers.ChoiceField(InstructionVersion.Source.choices)  # type: ignore[assignment]
    validation_status = serializers.ChoiceField(["PASS", "FAIL"])

    def to_representation(self, instance: InstructionVersion) -> dict[str, Any]:
        return {
            "instruction_version_id": str(instance.pk),
            "version": instance.version,
            "created_at": timestamp(instance.created_at),
            "created_by": instance.created_by,
            "source": instance.source,
            "validation_status": instance.validation_status,
        }
