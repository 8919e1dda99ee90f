"""A job's options: the same checks when a job is made and when a client only asks."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from config.api import errors
from jobs.api.serializers import JobBody, OptionsBody, ValidateBody

Finding = dict[str, str]


def hints() -> dict[str, str]:
    """Return what to send instead, for each option."""
    return {
        "language": "A BCP 47 tag of the spoken language, such as en or pt-BR.",
        "model_profile": f"One of: {', '.join(settings.MODEL_PROFILES)}.",
        "prompt_template_id": f"One of: {', '.join(settings.PROMPT_TEMPLATES)}.",
        "stt_profile": f"One of: {', '.join(settings.STT_PROFILES)}.",
        "title": "A text of 1 to 200 characters.",
        "auto_screenshots": "true or false.",
    }


def check(serializer: JobBody | ValidateBody) -> list[Finding]:
    """Return what is wrong with the options, each with a hint. Raise a 400 for what is wrong outside them."""
    if serializer.is_valid():
        return []
    found = list(errors.flatten(ValidationError(serializer.errors).get_full_details()))
    inside = [finding for finding in found if finding["field"].startswith("options.")]
    if len(inside) < len(found):
        raise errors.validation_error(found)
    known = hints()
    fallback = f"The options are: {', '.join(OptionsBody().fields)}."
    return [{**finding, "hint": known.get(finding["field"].split(".")[1], fallback)} for finding in inside]


def read_options(request: Request) -> dict[str, Any]:
    """Return the options of a job to be made, with their defaults; raise a 400 that hints at what to send."""
    serializer = JobBody(data=request.data)
    if found := check(serializer):
        raise errors.validation_error(found, hint=found[0]["hint"])
    return {"auto_screenshots": True, **serializer.validated_data.get("options", {})}


def validate_options(request: Request) -> dict[str, Any]:
    """Return `{valid, errors, warnings}` of the options in the body."""
    serializer = ValidateBody(data=request.data)
    found = check(serializer)
    options = {} if found else serializer.validated_data["options"]
    return {"valid": not found, "errors": found, "warnings": warnings(options)}


def warnings(options: dict[str, Any]) -> list[Finding]:
    """Return what is allowed and yet not likely to be what the caller wants."""
    found = []
    language = options.get("language", "en").split("-")[0]
    if language != "en" and not settings.SPEECH_URL and not settings.WHISPER_MODEL:
        found.append(
            {
                "field": "options.language",
                "code": "language_not_recognised",
                "message": "The packaged speech model knows English only.",
                "hint": "Give the video a subtitle track, or have the operator set STEPWRIGHT_WHISPER_MODEL.",
            }
        )
    return found
