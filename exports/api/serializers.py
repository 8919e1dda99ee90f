"""Shapes of requests and answers of this app, as the contract's section 8 gives them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from anchors.api.serializers import FrameSerializer, RegionSerializer
from anchors.models import Asset
from config.api.serializers import StrictSerializer, TextOrNull, timestamp, timestamp_or_null
from config.storage import download_url
from exports.comparison.changes import Change, StepChange
from exports.look import MAX_FOOTER, PAPER_SIZES, LowContrast, read_color
from exports.models import Export, GuideTemplate
from instructions.evidence import EvidenceKind


@extend_schema_field({"type": "string", "enum": Export.Format.values})
class FormatField(serializers.CharField):
    """Any text, as an unknown format has an error code of its own."""


class ExportBody(StrictSerializer):
    format = FormatField()
    instruction_version_id = serializers.CharField()
    paper_size = serializers.ChoiceField(PAPER_SIZES, required=False)
    idempotency_key = serializers.CharField(max_length=255, required=False)


class ProvenanceAnchorSerializer(serializers.Serializer[Any]):
    anchor_id = serializers.UUIDField()
    active_asset_id = serializers.UUIDField()
    rendered_asset_id = serializers.UUIDField(allow_null=True)


class ExportProvenanceSerializer(serializers.Serializer[Any]):
    instruction_version_id = serializers.UUIDField()
    instruction_snapshot_id = serializers.UUIDField()
    screenshot_set_hash = serializers.CharField()
    anchors = ProvenanceAnchorSerializer(many=True)
    model_profile_id = TextOrNull()
    prompt_template_id = TextOrNull()
    prompt_params_ref = TextOrNull()
    renderer_version = serializers.CharField()
    generated_at = serializers.DateTimeField(allow_null=True)


class ManifestVideoSerializer(serializers.Serializer[Any]):
    sha256 = serializers.CharField(allow_null=True)


class ManifestProvenanceSerializer(serializers.Serializer[Any]):
    instruction_version_id = serializers.CharField()
    anchors = ProvenanceAnchorSerializer(many=True)
    model_profile_id = serializers.CharField(allow_null=True)
    prompt_template_id = serializers.CharField(allow_null=True)
    prompt_params_ref = serializers.CharField(allow_null=True)


class PictureBaseSerializer(serializers.Serializer[Any]):
    asset_id = serializers.CharField()
    kind = serializers.ChoiceField(Asset.Kind.choices)
    sha256 = serializers.CharField()
    ops_hash = serializers.CharField(allow_null=True)


class PictureOriginSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(Asset.Kind.choices)
    commitment = serializers.CharField(allow_null=True)
    ops_hash = serializers.CharField(allow_null=True)
    base_sha256 = serializers.CharField(allow_null=True)
    bases = PictureBaseSerializer(many=True, required=False)
    frame = FrameSerializer(allow_null=True)
    video_sha256 = serializers.CharField(allow_null=True, required=False)


class ManifestPictureSerializer(serializers.Serializer[Any]):
    file = serializers.CharField()
    anchor_id = serializers.CharField()
    asset_id = serializers.CharField()
    block_id = serializers.CharField(allow_null=True)
    extracted_at_ms = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField()
    pixels_sha256 = serializers.CharField(allow_null=True, required=False)
    source_sha256 = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    alt = serializers.CharField()
    page = serializers.IntegerField(allow_null=True, required=False)
    origin = PictureOriginSerializer(allow_null=True)


class ManifestSegmentSerializer(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    start_ms = serializers.IntegerField(allow_null=True)
    end_ms = serializers.IntegerField(allow_null=True)


class ManifestFrameSerializer(serializers.Serializer[Any]):
    pts = serializers.IntegerField()


class ManifestStepSerializer(serializers.Serializer[Any]):
    block_id = serializers.CharField()
    number = serializers.IntegerField(allow_null=True)
    kind = serializers.ChoiceField([kind.value for kind in EvidenceKind])
    start_ms = serializers.IntegerField(allow_null=True)
    end_ms = serializers.IntegerField(allow_null=True)
    needs_review = serializers.BooleanField()
    segments = ManifestSegmentSerializer(many=True)
    frames = ManifestFrameSerializer(many=True)


class ManifestFileSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    sha256 = serializers.CharField()
    size_bytes = serializers.IntegerField()


class EnvelopeSignatureSerializer(serializers.Serializer[Any]):
    keyid = serializers.CharField()
    sig = serializers.CharField()


class EnvelopeSerializer(serializers.Serializer[Any]):
    """A DSSE envelope. Its payload in base64 is an in-toto Statement v1, whose predicate is the manifest."""

    payload = serializers.CharField()
    payloadType = serializers.CharField()
    signatures = EnvelopeSignatureSerializer(many=True)


class PublicKeySerializer(serializers.Serializer[Any]):
    """`kid` is the SHA-256 (hex) of the 32 bytes of the key."""

    kty = serializers.CharField()
    crv = serializers.CharField()
    x = serializers.CharField()
    kid = serializers.CharField()
    use = serializers.CharField()
    alg = serializers.CharField()
    pem = serializers.CharField()
    is_current = serializers.BooleanField()


class KeySetSerializer(serializers.Serializer[Any]):
    keys = PublicKeySerializer(many=True)


class ExportManifestSerializer(serializers.Serializer[Any]):
    """What an export was made of, file by file and picture by picture."""

    # Only describes it: the answer is what the renderer wrote.
    export_id = serializers.CharField()
    artifact = ManifestFileSerializer()
    manifest_version = serializers.IntegerField()
    format = serializers.ChoiceField(Export.Format.values)
    title = serializers.CharField()
    instruction_id = serializers.CharField()
    instruction_version_id = serializers.CharField()
    version = serializers.IntegerField()
    job_id = serializers.CharField()
    renderer_version = serializers.CharField()
    screenshot_set_hash = serializers.CharField()
    identity_key = serializers.CharField()
    look_hash = serializers.CharField(allow_null=True, required=False)
    video = ManifestVideoSerializer()
    provenance = ManifestProvenanceSerializer()
    steps = ManifestStepSerializer(many=True, required=False)
    pictures = ManifestPictureSerializer(many=True)
    files = ManifestFileSerializer(many=True)


class ExportSerializer(serializers.ModelSerializer[Export]):
    job_id = serializers.UUIDField()
    format = serializers.ChoiceField(Export.Format.values)
    status = serializers.ChoiceField(["REQUESTED", "RUNNING", "SUCCEEDED", "FAILED"])
    instruction_version_id = serializers.UUIDField()
    provenance = ExportProvenanceSerializer()
    provenance_frozen_at = serializers.DateTimeField(required=False)
    last_audit_event = serializers.CharField()
    artifact_sha256 = serializers.CharField(required=False)
    artifact_size_bytes = serializers.IntegerField(required=False)
    download_url = serializers.URLField(required=False)
    download_url_expires_at = serializers.DateTimeField(required=False)

    class Meta:
        model = Export
        fields = (
            "id",
            "job_id",
            "format",
            "status",
            "instruction_version_id",
            "identity_key",
            "screenshot_set_hash",
            "provenance",
            "provenance_frozen_at",
            "last_audit_event",
            "failure_code",
            "failure_message",
            "artifact_sha256",
            "artifact_size_bytes",
            "download_url",
            "download_url_expires_at",
            "created_at",
            "updated_at",
        )

    def to_representation(self, instance: Export) -> dict[str, Any]:
        shown = {
            "id": str(instance.pk),
            "job_id": str(instance.job_id),
            "format": instance.format,
            "status": instance.status,
            "instruction_version_id": str(instance.instruction_version_id),
            "identity_key": instance.identity_key,
            "screenshot_set_hash": instance.screenshot_set_hash,
            "provenance": _provenance(instance),
            "provenance_frozen_at": timestamp_or_null(instance.provenance_frozen_at),
            "last_audit_event": instance.last_audit_event,
            "failure_code": instance.failure_code,
            "failure_message": instance.failure_message,
            "artifact_sha256": instance.artifact_sha256,
            "artifact_size_bytes": instance.artifact_size_bytes,
            "created_at": timestamp(instance.created_at),
            "updated_at": timestamp(instance.updated_at),
        }
        if instance.status == Export.SUCCEEDED:
            url, expires_at = download_url(
                instance.artifact_uri, filename=instance.artifact_name, mime_type=instance.artifact_mime_type
            )
            shown |= {"download_url": url, "download_url_expires_at": timestamp(expires_at)}
        return {key: value for key, value in shown.items() if value not in (None, "")}


def _provenance(export: Export) -> dict[str, Any]:
    """Return what an export was made of; texts that are not known are null."""
    frozen = export.snapshot["provenance"]
    return {
        "instruction_version_id": frozen["instruction_version_id"],
        "instruction_snapshot_id": str(export.instruction_snapshot_id),
        "screenshot_set_hash": export.screenshot_set_hash,
        "anchors": frozen["anchors"],
        "model_profile_id": frozen["model_profile_id"] or None,
        "prompt_template_id": frozen["prompt_template_id"] or None,
        "prompt_params_ref": frozen.get("prompt_params_ref") or None,
        "renderer_version": export.renderer_version,
        "generated_at": timestamp_or_null(export.generated_at),
    }


class ComparisonQuery(StrictSerializer):
    def get_fields(self) -> dict[str, Any]:
        return {"with": serializers.CharField()}  # a word of Python's, so no attribute


class StepChangeSerializer(serializers.Serializer[StepChange]):
    block_id = serializers.CharField(required=False)
    other_block_id = serializers.CharField(required=False)
    change = serializers.ChoiceField([change.value for change in Change])
    picture_regions = RegionSerializer(many=True, required=False)

    def to_representation(self, instance: StepChange) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "block_id": instance.block_id,
            "other_block_id": instance.other_block_id,
            "change": instance.change,
        }
        if instance.change in (Change.PICTURE, Change.BOTH):
            shown["picture_regions"] = [region._asdict() for region in instance.picture_regions]
        return {name: value for name, value in shown.items() if value is not None}


class ComparisonSerializer(serializers.Serializer[Any]):
    steps = StepChangeSerializer(many=True)


class ColorField(serializers.RegexField):
    """A colour as `#rrggbb` that white letters can be read on."""

    def __init__(self, **options: Any) -> None:
        super().__init__(r"^#[0-9A-Fa-f]{6}$", **options)

    def to_internal_value(self, data: Any) -> str:
        try:
            return read_color(super().to_internal_value(data))
        except LowContrast as error:
            raise serializers.ValidationError(str(error), "low_contrast") from error
        except ValueError as error:
            raise serializers.ValidationError(str(error), "invalid") from error


class GuideTemplateBody(StrictSerializer):
    logo_upload_id = serializers.CharField(required=False, allow_null=True)
    accent_color = ColorField(required=False, allow_null=True)
    footer = serializers.CharField(required=False, allow_null=True, max_length=MAX_FOOTER)
    paper_size = serializers.ChoiceField(PAPER_SIZES, required=False)


class TemplateLogoSerializer(serializers.Serializer[Any]):
    sha256 = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class GuideTemplateSerializer(serializers.ModelSerializer[GuideTemplate]):
    project_id = serializers.UUIDField()
    logo = TemplateLogoSerializer(source="shown_logo", allow_null=True)
    accent_color = TextOrNull()
    footer = TextOrNull()
    look_hash = serializers.CharField(source="look.look_hash", allow_null=True)
    updated_at = serializers.DateTimeField(allow_null=True)

    class Meta:
        model = GuideTemplate
        fields = ("project_id", "logo", "accent_color", "footer", "paper_size", "look_hash", "updated_at")
