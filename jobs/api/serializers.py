"""The bodies of requests and answers of this app, from sections 3 to 5 of the contract."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api.pagination import PageQuery
from config.api.serializers import StrictSerializer
from jobs.api.updates import FAILURE_FIELDS, UpdatesField
from jobs.languages import is_language_tag
from jobs.models import AuditEvent, Job, Project
from jobs.states import ActorType, JobStatus


class ProjectBody(StrictSerializer):
    name = serializers.CharField(max_length=200)


class ProjectSerializer(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = ("id", "name", "created_at")


MAX_LANGUAGE = 35  # characters; RFC 5646, section 4.4.1


@extend_schema_field(
    {"type": "string", "maxLength": MAX_LANGUAGE, "pattern": "^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$"}
)
class LanguageField(serializers.CharField):
    """A BCP 47 tag, kept as it was sent. The description shows its outline."""

    default_error_messages = {"invalid": "This is not a BCP 47 language tag."}

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        if len(text) <= MAX_LANGUAGE and not is_language_tag(text):
            self.fail("invalid")
        return text


class OptionsBody(StrictSerializer):
    language = LanguageField(max_length=MAX_LANGUAGE, trim_whitespace=False, required=False)
    model_profile = serializers.ChoiceField(settings.MODEL_PROFILES, required=False)
    prompt_template_id = serializers.ChoiceField(settings.PROMPT_TEMPLATES, required=False)
    stt_profile = serializers.ChoiceField(settings.STT_PROFILES, required=False)
    title = serializers.CharField(max_length=200, required=False)
    auto_screenshots = serializers.BooleanField(default=True)


class JobBody(StrictSerializer):
    options = OptionsBody(required=False)


class ValidateBody(StrictSerializer):
    options = OptionsBody()


class AskedOptionsBody(StrictSerializer):
    """Wrong options are answered too, not refused: so the description shows ValidateBody."""

    options = serializers.DictField(help_text="Whatever createJob might be sent.")


class FindingSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()


class ValidatedSerializer(serializers.Serializer[Any]):
    valid = serializers.BooleanField()
    errors = FindingSerializer(many=True)  # type: ignore[assignment]
    warnings = FindingSerializer(many=True)


class RetryBody(StrictSerializer):
    model_profile = serializers.ChoiceField(settings.MODEL_PROFILES)
    client_request_id = serializers.RegexField(r"^[\x21-\x7e]{1,128}\Z", max_length=128)


class RetrySerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField(source="dispatch.job_id")
    status = serializers.ChoiceField(JobStatus.choices)
    resume_from_status = serializers.ChoiceField(JobStatus.choices, source="dispatch.resume_from_status")
    checkpoint_ref = serializers.CharField(source="dispatch.checkpoint_ref")
    model_profile = serializers.CharField(source="dispatch.model_profile")
    dispatch_id = serializers.UUIDField(source="dispatch.pk")
    replayed = serializers.BooleanField()


class UploadBody(StrictSerializer):
    filename = serializers.CharField(max_length=255)
    size_bytes = serializers.IntegerField(min_value=1)
    mime_type = serializers.RegexField(r"^[a-z]+/[A-Za-z0-9.+-]+$", max_length=127)


@extend_schema_field(OpenApiTypes.URI)
class UriField(serializers.CharField):
    """A URI of any scheme, such as local://, s3:// or https://."""


class UploadTicketSerializer(serializers.Serializer[Any]):
    upload_url = serializers.URLField()
    method = serializers.ChoiceField(["PUT"])
    headers = serializers.DictField(child=serializers.CharField())
    video_uri = UriField()
    expires_at = serializers.DateTimeField()
    max_size_bytes = serializers.IntegerField()


class ConfirmUploadBody(StrictSerializer):
    video_uri = serializers.CharField(max_length=2048)


class ManifestSerializer(serializers.Serializer[Any]):
    video_uri = UriField(required=False)
    audio_uri = serializers.CharField(required=False)
    transcript_uri = serializers.CharField(required=False)
    draft_uri = serializers.CharField(required=False)
    exports = serializers.ListField(child=serializers.CharField())


class FailureSerializer(serializers.Serializer[Any]):
    failure_code = serializers.CharField()
    failure_message = serializers.CharField()
    failed_stage = serializers.CharField()
    correlation_id = serializers.CharField()


class OptionsSerializer(serializers.Serializer[Any]):
    language = serializers.CharField(required=False)
    model_profile = serializers.CharField(required=False)
    prompt_template_id = serializers.CharField(required=False)
    stt_profile = serializers.CharField(required=False)
    title = serializers.CharField(required=False)
    auto_screenshots = serializers.BooleanField()


class JobSerializer(serializers.ModelSerializer[Job]):
    project_id = serializers.UUIDField()
    status = serializers.ChoiceField(JobStatus.choices)
    manifest = serializers.SerializerMethodField()
    options = OptionsSerializer()
    instruction_id = serializers.UUIDField(allow_null=True)
    failure = FailureSerializer(allow_null=True)
    queue_position = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = (
            "id",
            "project_id",
            "status",
            "manifest",
            "options",
            "instruction_id",
            "failure",
            "queue_position",
            "created_at",
            "updated_at",
        )

    def get_manifest(self, job: Job) -> ManifestSerializer:
        return {"exports": [], **job.manifest}  # type: ignore[return-value]

    def get_queue_position(self, job: Job) -> int | None:
        """From 1 while the job waits for a local worker."""
        return getattr(job, "queue_position", None)


class ConfirmedSerializer(serializers.Serializer[Any]):
    job = JobSerializer()
    replayed = serializers.BooleanField()


class RunSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField(source="dispatch.job_id")
    status = serializers.ChoiceField(JobStatus.choices)
    dispatch_id = serializers.UUIDField(source="dispatch.pk")
    replayed = serializers.BooleanField()


class JobQuery(PageQuery):
    status = serializers.ListField(child=serializers.ChoiceField(JobStatus.choices), required=False)
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)


class EventSerializer(serializers.ModelSerializer[AuditEvent]):
    job_id = serializers.UUIDField()
    project_id = serializers.UUIDField()
    actor_type = serializers.ChoiceField(ActorType.values)
    actor_id = serializers.CharField(required=False)
    prev_status = serializers.ChoiceField(JobStatus.choices, required=False)
    new_status = serializers.ChoiceField(JobStatus.choices, required=False)
    data = serializers.DictField()  # type: ignore[assignment]

    class Meta:
        model = AuditEvent
        fields = (
            "id",
            "event_type",
            "job_id",
            "project_id",
            "actor_type",
            "actor_id",
            "prev_status",
            "new_status",
            "occurred_at",
            "recorded_at",
            "correlation_id",
            "data",
        )

    def to_representation(self, instance: AuditEvent) -> dict[str, Any]:
        shown = super().to_representation(instance)
        # Optional ids and statuses are left out.
        return {key: value for key, value in shown.items() if value != ""}


class TranscriptQuery(StrictSerializer):
    limit = serializers.IntegerField(min_value=1, max_value=500, default=200)
    cursor = serializers.CharField(required=False)


class SegmentSerializer(serializers.Serializer[Any]):
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    text = serializers.CharField()


class TranscriptSerializer(serializers.Serializer[Any]):
    items = SegmentSerializer(many=True)
    limit = serializers.IntegerField()
    next_cursor = serializers.CharField(allow_null=True)


class CallbackQuery(StrictSerializer):
    dispatch_id = serializers.CharField(
        trim_whitespace=False,
        required=False,
        max_length=64,
        help_text="As it stood in the dispatch's callback_url.",
    )


class CallbackBody(StrictSerializer):
    schema_rules = {
        "if": {"properties": {"status": {"const": JobStatus.FAILED.value}}},
        "then": {"required": list(FAILURE_FIELDS)},
        "else": {"not": {"anyOf": [{"required": [name]} for name in FAILURE_FIELDS]}},
    }

    event_id = serializers.CharField(max_length=255, trim_whitespace=False)
    status = serializers.ChoiceField(JobStatus.choices)
    occurred_at = serializers.DateTimeField()
    correlation_id = serializers.CharField(max_length=128, trim_whitespace=False)
    actor_type = serializers.ChoiceField(
        [ActorType.ORCHESTRATOR, ActorType.SYSTEM], default=ActorType.ORCHESTRATOR
    )
    artifact_updates = UpdatesField(default=dict)
    failure_code = serializers.RegexField(r"^[A-Z][A-Z0-9_]{0,63}$", required=False)
    failure_message = serializers.CharField(max_length=500, required=False)
    failed_stage = serializers.CharField(max_length=64, required=False)


class ReplaySerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()
    event_id = serializers.CharField()
    replayed = serializers.BooleanField()
    current_status = serializers.ChoiceField(JobStatus.choices)
    latest_applied_occurred_at = serializers.DateTimeField(allow_null=True)
