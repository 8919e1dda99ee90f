"""The bodies of requests and answers of this app, from sections 3 to 5 of the contract."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from config.api.pagination import PageQuery
from config.api.serializers import StrictSerializer, id_or_null, timestamp
from jobs.languages import is_language_tag
from jobs.models import AuditEvent, Job, Project
from jobs.states import ActorType, JobStatus


class ProjectBody(StrictSerializer):
    name = serializers.CharField(max_length=200)


class ProjectSerializer(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = ("id", "name", "created_at")

    def to_representation(self, instance: Project) -> dict[str, Any]:
        return {
            "id": str(instance.pk),
            "name": instance.name,
            "created_at": timestamp(instance.created_at),
        }


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


@extend_schema_field({"type": "string", "minLength": 1, "maxLength": 64})
class InstalledNameField(serializers.ChoiceField):
    """A name that this installation knows; a client is not built for one installation, so they are not listed."""


class JobOptionsBody(StrictSerializer):
    language = LanguageField(max_length=MAX_LANGUAGE, trim_whitespace=False, required=False)
    model_profile = InstalledNameField(settings.MODEL_PROFILES, required=False)
    prompt_template_id = InstalledNameField(settings.PROMPT_TEMPLATES, required=False)
    stt_profile = InstalledNameField(settings.STT_PROFILES, required=False)
    title = serializers.CharField(max_length=200, required=False)
    auto_screenshots = serializers.BooleanField(default=True)
    highlight_clicks = serializers.BooleanField(default=True)
    crop_pictures = serializers.BooleanField(required=False)
    auto_redact = serializers.BooleanField(default=False)


class JobBody(StrictSerializer):
    options = JobOptionsBody(required=False)


class ValidateBody(StrictSerializer):
    options = JobOptionsBody()


@extend_schema_serializer(many=False)
class InstalledOptionsSerializer(serializers.Serializer[Any]):
    languages = serializers.ListField(child=serializers.CharField())
    model_profiles = serializers.ListField(child=serializers.CharField())
    prompt_templates = serializers.ListField(child=serializers.CharField())
    stt_profiles = serializers.ListField(child=serializers.CharField())
    export_formats = serializers.ListField(child=serializers.CharField())
    paper_sizes = serializers.ListField(child=serializers.CharField())


class OptionsCheckBody(StrictSerializer):
    """Options to check; wrong ones are answered, not refused."""

    # Only describes the body, which is read as a ValidateBody.
    options = serializers.DictField()


class OptionFindingSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()


class OptionsCheckSerializer(serializers.Serializer[Any]):
    valid = serializers.BooleanField()
    errors = OptionFindingSerializer(many=True)  # type: ignore[assignment]
    warnings = OptionFindingSerializer(many=True)


class RetryBody(StrictSerializer):
    model_profile = InstalledNameField(settings.MODEL_PROFILES)
    client_request_id = serializers.RegexField(r"^[\x21-\x7e]{1,128}\Z", max_length=128)


class RetryResultSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField(source="dispatch.job_id")
    status = serializers.ChoiceField(JobStatus.choices)
    resume_from_status = serializers.ChoiceField(JobStatus.choices, source="dispatch.resume_from_status")
    checkpoint_ref = serializers.CharField(source="dispatch.checkpoint_ref")
    model_profile = serializers.CharField(source="dispatch.model_profile")
    dispatch_id = serializers.UUIDField(source="dispatch.pk")
    replayed = serializers.BooleanField()


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": settings.MAX_UPLOAD_BYTES})
class UploadSizeField(serializers.IntegerField):
    """The service refuses what is over the maximum."""


class UploadBody(StrictSerializer):
    filename = serializers.CharField(max_length=255)
    size_bytes = UploadSizeField(min_value=1)
    mime_type = serializers.RegexField(r"^[a-z]+/[A-Za-z0-9.+-]+$", max_length=127)


@extend_schema_field(OpenApiTypes.URI)
class UriField(serializers.CharField):
    """A URI of any scheme, such as local://, s3:// or https://."""


@extend_schema_field({"type": "string", "const": "PUT"})
class PutField(serializers.CharField):
    """The one method that a ticket is for."""


class UploadPartSerializer(serializers.Serializer[Any]):
    part_number = serializers.IntegerField(min_value=1)
    size_bytes = serializers.IntegerField(min_value=1)
    upload_url = serializers.URLField()


class UploadTicketSerializer(serializers.Serializer[Any]):
    upload_url = serializers.URLField(
        allow_null=True,
        help_text="Where the file is PUT. Null when it is too large for one PUT: send its parts.",
    )
    method = PutField()
    headers = serializers.DictField(child=serializers.CharField())
    parts = UploadPartSerializer(many=True)
    video_uri = UriField()
    expires_at = serializers.DateTimeField()
    max_size_bytes = serializers.IntegerField()


class ConfirmUploadBody(StrictSerializer):
    video_uri = serializers.CharField(max_length=2048)


class JobManifestSerializer(serializers.Serializer[Any]):
    video_uri = UriField(required=False)
    audio_uri = serializers.CharField(required=False)
    screen_uri = serializers.CharField(required=False)
    transcript_uri = serializers.CharField(required=False)
    draft_uri = serializers.CharField(required=False)
    exports = serializers.ListField(child=serializers.CharField())


class JobFailureSerializer(serializers.Serializer[Any]):
    failure_code = serializers.CharField()
    failure_message = serializers.CharField()
    failed_stage = serializers.CharField()
    correlation_id = serializers.CharField()


class JobOptionsSerializer(serializers.Serializer[Any]):
    language = serializers.CharField(required=False)
    model_profile = serializers.CharField(required=False)
    prompt_template_id = serializers.CharField(required=False)
    stt_profile = serializers.CharField(required=False)
    title = serializers.CharField(required=False)
    auto_screenshots = serializers.BooleanField()
    highlight_clicks = serializers.BooleanField(required=False)
    crop_pictures = serializers.BooleanField(required=False)
    auto_redact = serializers.BooleanField(required=False)


class JobSerializer(serializers.ModelSerializer[Job]):
    project_id = serializers.UUIDField()
    status = serializers.ChoiceField(JobStatus.choices)
    manifest = JobManifestSerializer()
    options = JobOptionsSerializer()
    instruction_id = serializers.UUIDField(allow_null=True)
    failure = JobFailureSerializer(allow_null=True)
    queue_position = serializers.IntegerField(
        min_value=1, allow_null=True, help_text="From 1 while the job waits for a local worker."
    )

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

    def to_representation(self, instance: Job) -> dict[str, Any]:
        return {
            "id": str(instance.id),
            "project_id": str(instance.project_id),
            "status": instance.status,
            "manifest": {"exports": [], **instance.manifest},
            "options": instance.options,
            "instruction_id": id_or_null(instance.instruction_id),
            "failure": instance.failure,
            "queue_position": getattr(instance, "queue_position", None),
            "created_at": timestamp(instance.created_at),
            "updated_at": timestamp(instance.updated_at),
        }


class ConfirmedUploadSerializer(serializers.Serializer[Any]):
    job = JobSerializer()
    replayed = serializers.BooleanField()


class RunResultSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField(source="dispatch.job_id")
    status = serializers.ChoiceField(JobStatus.choices)
    dispatch_id = serializers.UUIDField(source="dispatch.pk")
    replayed = serializers.BooleanField()


class JobQuery(PageQuery):
    status = serializers.ListField(child=serializers.ChoiceField(JobStatus.choices), required=False)
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)


_TEXT, _COUNT = {"type": "string"}, {"type": "integer", "minimum": 0}
_EVENT_DATA = {
    **dict.fromkeys(
        (
            "anchor_id", "asset_id", "checkpoint_ref", "dispatch_id", "event_id", "export_id", "failure_code",
            "filename", "format", "model_profile", "model_profile_id", "prompt_template_id", "recorded_at", "sha256",
            "task_id",
        ),
        _TEXT,
    ),
    **dict.fromkeys(
        (
            "attempt", "duration_ms", "height", "model_failed", "passages_withheld", "restored_version",
            "sentences_removed", "size_bytes", "steps_dropped", "steps_to_review", "tokens", "version", "width",
            "windows", "windows_without_steps",
        ),
        _COUNT,
    ),
    "artifacts": {"type": "array", "items": _TEXT},
}  # fmt: skip


@extend_schema_field(
    {
        "title": "AuditEventData",
        "type": "object",
        "properties": _EVENT_DATA,
        "additionalProperties": True,
        "description": "What the event is about, as far as its type has it; further fields may come.",
    }
)
class EventDataField(serializers.DictField):
    """Kept as it was written."""


class AuditEventSerializer(serializers.ModelSerializer[AuditEvent]):
    job_id = serializers.UUIDField()
    project_id = serializers.UUIDField()
    actor_type = serializers.ChoiceField(ActorType.values)
    actor_id = serializers.CharField(required=False)
    prev_status = serializers.ChoiceField(JobStatus.choices, required=False)
    new_status = serializers.ChoiceField(JobStatus.choices, required=False)
    data = EventDataField()  # type: ignore[assignment]

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
        shown = {
            "id": str(instance.pk),
            "event_type": instance.event_type,
            "job_id": str(instance.job_id),
            "project_id": str(instance.project_id),
            "actor_type": instance.actor_type,
            "actor_id": instance.actor_id,
            "prev_status": instance.prev_status,
            "new_status": instance.new_status,
            "occurred_at": timestamp(instance.occurred_at),
            "recorded_at": timestamp(instance.recorded_at),
            "correlation_id": instance.correlation_id,
            "data": instance.data,
        }
        # Optional ids and statuses are left out.
        return {key: value for key, value in shown.items() if value != ""}
