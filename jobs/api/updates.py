"""The field `artifact_updates` of a callback, as the API description shows it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.artifact_updates import JSON_SCHEMA

FAILURE_FIELDS = ("failure_code", "failure_message", "failed_stage")


@extend_schema_field(JSON_SCHEMA)
class UpdatesField(serializers.DictField):
    """Checked by the callback service, which reads what the URIs name."""
