"""Shapes of requests and answers of this app, as the contract's section 6 gives them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from config.api.serializers import StrictSerializer, TextOrNull, timestamp
from instructions.diff import Change
from instructions.evidence import EvidenceKind
from instructions.models import InstructionVersion, RegenerateTask
from instructions.queries import Step
from instructions.services.history import Comparison
from jobs.api.serializers import InstalledNameField

MAX_CONTEXT = 2_000  # characters
MAX_VERSION = 2**31 - 1


class InstructionQuery(StrictSerializer):
    version = serializers.IntegerField(min_value=1, max_value=MAX_VERSION, required=False)


class InstructionDiffQuery(StrictSerializer):
    to = serializers.IntegerField(min_value=1, max_value=MAX_VERSION)

    def get_fields(self) -> dict[str, Any]:
        from_ = serializers.IntegerField(min_value=1, max_value=MAX_VERSION)
        return {"from": from_, **super().get_fields()}  # a word of Python's, so no attribute


class SaveBody(StrictSerializer):
    base_version = serializers.IntegerField(min_value=1, max_value=MAX_VERSION)
    markdown = serializers.CharField(allow_blank=True, trim_whitespace=False)


class RestoreBody(StrictSerializer):
    version = serializers.IntegerField(min_value=1, max_value=MAX_VERSION)
    base_version = serializers.IntegerField(min_value=1, max_value=MAX_VERSION)


class CharRange(StrictSerializer):
    start_offset = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    end_offset = serializers.IntegerField(min_value=0, max_value=2**31 - 1)


class SelectionBody(StrictSerializer):
    schema_rules = {"minProperties": 1, "maxProperties": 1}
    block_id = serializers.UUIDField(required=False)
    char_range = CharRange(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the selection as rows keep it."""
        if len(attrs) != 1:
            raise serializers.ValidationError("Send block_id or char_range, one of the two.")
        return {name: str(value) if name == "block_id" else dict(value) for name, value in attrs.items()}


class RegenerateBody(StrictSerializer):
    base_version = serializers.IntegerField(min_value=1, max_value=MAX_VERSION)
    selection = SelectionBody()
    client_request_id = serializers.RegexField(r"^[\x21-\x7e]{1,128}\Z", max_length=128)
    context = serializers.CharField(max_length=MAX_CONTEXT, required=False)  # type: ignore[assignment]
    model_profile = InstalledNameField(
        settings.REWRITING_PROFILES,
        required=False,
        error_messages={"invalid_choice": f"One of: {', '.join(settings.REWRITING_PROFILES)}."},
    )
    prompt_template_id = InstalledNameField(settings.PROMPT_TEMPLATES, required=False)
    prompt_params_ref = serializers.CharField(max_length=255, required=False)


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
class InstructionSerializer(serializers.Serializer[Any]):
    instruction_id = serializers.UUIDField()
    id = serializers.UUIDField(source="instruction_id", help_text="The same value as instruction_id.")
    job_id = serializers.UUIDField()
    version = serializers.IntegerField()
    instruction_version_id = serializers.UUIDField(source="id")
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

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return what is shown of a version, or of a row of `queries.read_version`."""
        return {
            "instruction_id": str(instance.instruction_id),
            "id": str(instance.instruction_id),
            "job_id": str(instance.job_id),
            "version": instance.version,
            "instruction_version_id": str(instance.id),
            "markdown": instance.markdown,
            "blocks": [
                {name: value for name, value in block.items() if name in _BLOCK and value not in (None, "")}
                for block in instance.blocks
            ],
            "updated_at": timestamp(instance.created_at),
            "validation_status": "FAIL" if instance.validation_errors else "PASS",
            "validation_errors": instance.validation_errors,
            "validated_at": timestamp(instance.validated_at),
            "validator_version": instance.validator_version,
            "model_profile_id": instance.model_profile_id or None,
            "prompt_template_id": instance.prompt_template_id or None,
            "prompt_params_ref": instance.prompt_params_ref or None,
        }


class StepFrameSerializer(serializers.Serializer[Any]):
    pts = serializers.IntegerField()
    frame_sha256 = serializers.CharField()


class StepEvidenceSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField([(kind.value, kind.value) for kind in EvidenceKind])
    segments = serializers.ListField(child=serializers.IntegerField())
    frames = StepFrameSerializer(many=True)


class StepSerializer(serializers.Serializer[Step]):
    block_id = serializers.UUIDField(source="block.block_id")
    number = serializers.IntegerField()
    title = TextOrNull(source="block.title")
    markdown = serializers.CharField()
    start_ms = serializers.IntegerField(source="evidence.start_ms", required=False)
    end_ms = serializers.IntegerField(source="evidence.end_ms", required=False)
    evidence = StepEvidenceSerializer()
    anchor_ids = serializers.ListField(child=serializers.UUIDField())
    needs_review = serializers.BooleanField(source="evidence.needs_review")

    def to_representation(self, instance: Step) -> dict[str, Any]:
        evidence = instance.evidence
        span = {"start_ms": evidence.start_ms, "end_ms": evidence.end_ms}
        return {
            "block_id": instance.block.block_id,
            "number": instance.number,
            "title": instance.block.title or None,
            "markdown": instance.markdown,
            **{name: time_ms for name, time_ms in span.items() if time_ms is not None},
            "evidence": {
                "kind": evidence.kind.value,
                "segments": list(evidence.segments),
                "frames": evidence.frames_json(),
            },
            "anchor_ids": list(instance.anchor_ids),
            "needs_review": evidence.needs_review,
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


class BlockChangeSerializer(serializers.Serializer[Any]):
    block_id = serializers.UUIDField()
    change = serializers.ChoiceField([change.value for change in Change])


class InstructionDiffSerializer(serializers.Serializer[Comparison]):
    to = serializers.IntegerField(source="after")
    unified_diff = serializers.CharField()
    blocks = BlockChangeSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.IntegerField(source="before"), **super().get_fields()}

    def to_representation(self, instance: Comparison) -> dict[str, Any]:
        return {
            "from": instance.before,
            "to": instance.after,
            "unified_diff": instance.unified_diff,
            "blocks": [{"block_id": one.block_id, "change": one.change} for one in instance.blocks],
        }


@extend_schema_field(
    {
        "title": "Selection",
        "type": "object",
        "properties": {
            "block_id": {"type": "string"},
            "char_range": {"$ref": "#/components/schemas/CharRange"},
        },
        "minProperties": 1,
        "maxProperties": 1,
    }
)
class SelectionField(serializers.DictField):
    """As the row has it."""


class RegenerateProvenanceSerializer(serializers.Serializer[Any]):
    instruction_id = serializers.UUIDField()
    base_version = serializers.IntegerField()
    selection = SelectionField()
    requested_by = serializers.CharField()
    requested_at = serializers.DateTimeField()
    model_profile = serializers.CharField(required=False)
    prompt_template_id = serializers.CharField(required=False)
    prompt_params_ref = serializers.CharField(required=False)


class RegenerateTaskSerializer(serializers.Serializer[RegenerateTask]):
    """`replayed` of the context says whether an earlier request had made the task."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(["PENDING", "RUNNING", "SUCCEEDED", "FAILED"])
    progress_pct = serializers.IntegerField(min_value=0, max_value=100)
    instruction_id = serializers.UUIDField()
    instruction_version = serializers.IntegerField(required=False)
    failure_code = serializers.CharField(required=False)
    failure_message = serializers.CharField(required=False)
    failed_stage = serializers.CharField(required=False)
    provenance = RegenerateProvenanceSerializer()
    replayed = serializers.BooleanField()
    requested_at = serializers.DateTimeField(source="created_at")
    updated_at = serializers.DateTimeField()

    def to_representation(self, instance: RegenerateTask) -> dict[str, Any]:
        shown = {
            "id": str(instance.pk),
            "status": instance.status,
            "progress_pct": instance.progress_pct,
            "instruction_id": str(instance.instruction_id),
            "instruction_version": instance.instruction_version,
            "failure_code": instance.failure_code,
            "failure_message": instance.failure_message,
            "failed_stage": instance.failed_stage,
            "provenance": _regenerate_provenance(instance),
            "replayed": self.context.get("replayed", False),
            "requested_at": timestamp(instance.created_at),
            "updated_at": timestamp(instance.updated_at),
        }
        return {key: value for key, value in shown.items() if value not in (None, "")}


def _regenerate_provenance(task: RegenerateTask) -> dict[str, Any]:
    """Return what was asked for, and by whom: ids, and no text."""
    shown = {
        "instruction_id": str(task.instruction_id),
        "base_version": task.base_version,
        "selection": task.selection,
        "requested_by": task.requested_by,
        "requested_at": timestamp(task.created_at),
        "model_profile": task.model_profile,
        "prompt_template_id": task.prompt_template_id,
        "prompt_params_ref": task.prompt_params_ref,
    }
    return {key: value for key, value in shown.items() if value != ""}
