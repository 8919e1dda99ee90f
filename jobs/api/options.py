"""A job's options: the same checks when a job is made and when a client only asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from config.api import errors, translation
from config.api.serializers import StrictSerializer, read_body
from jobs import hooks, languages
from jobs.api.serializers import JobBody, JobOptionsBody, ValidateBody

Finding = dict[str, str]

DEFAULTS: dict[str, Any] = {"auto_screenshots": True, "highlight_clicks": True, "auto_redact": False}


def hints() -> dict[str, str]:
    """Return what to send instead, for each option."""
    return {
        "language": "A BCP 47 tag of the spoken language, such as en or pt-BR.",
        "model_profile": f"One of: {', '.join(settings.MODEL_PROFILES)}.",
        "prompt_template_id": f"One of: {', '.join(settings.PROMPT_TEMPLATES)}.",
        "stt_profile": f"One of: {', '.join(settings.STT_PROFILES)}.",
        "title": "A text of 1 to 200 characters.",
        "auto_screenshots": "true or false.",
        "auto_redact": "true or false.",
        "highlight_clicks": "true or false.",
        "crop_pictures": "true or false.",
    }


def check(body: type[StrictSerializer], request: Request) -> tuple[dict[str, Any], list[Finding]]:
    """Return the validated body, or what is wrong with its options, each with a hint.

    Raise a 400 when something is wrong outside of them.
    """
    try:
        return read_body(body, request), []
    except ValidationError as error:
        found = translation.listed(error.detail)
    if not all(is_of_options(finding) for finding in found):
        raise errors.validation_error(found)
    known = hints()
    fallback = f"The options are: {', '.join(JobOptionsBody().fields)}."
    return {}, [
        {**finding, "hint": known.get(finding["field"].removeprefix("options."), fallback)}
        for finding in found
    ]


def is_of_options(finding: Finding) -> bool:
    """Return whether it is about an option, or about others that are not named."""
    is_of_others = (finding["field"], finding["code"]) == ("options", errors.MORE_ERRORS)
    return is_of_others or finding["field"].startswith("options.")


def read_options(request: Request) -> dict[str, Any]:
    """Return the options of a job to be made, with their defaults; raise a 400 that hints at what to send."""
    body, found = check(JobBody, request)
    if found:
        raise errors.validation_error(found, hint=found[0]["hint"])
    chosen = DEFAULTS | body.get("options", {})
    # In the order in which PostgreSQL keeps the keys of a jsonb: the first answer and a replay are the same bytes.
    return dict(sorted(chosen.items(), key=lambda item: (len(item[0]), item[0])))


def validate_options(request: Request) -> dict[str, Any]:
    """Return `{valid, errors, warnings}` of the options in the body."""
    body, found = check(ValidateBody, request)
    return {"valid": not found, "errors": found, "warnings": warnings(body.get("options", {}))}


def choices() -> dict[str, Sequence[str]]:
    """Return what may be chosen here: in a job's options and a retry, when a passage is rewritten, and what later
    apps have."""
    return {
        "languages": spoken_languages(),
        "model_profiles": list(dict.fromkeys([*settings.MODEL_PROFILES, *settings.REWRITING_PROFILES])),
        "prompt_templates": settings.PROMPT_TEMPLATES,
        "stt_profiles": settings.STT_PROFILES,
        **hooks.CHOICES,
    }


def spoken_languages() -> Sequence[str]:
    """Return the languages that speech is recognised in, as far as we know: the packaged model knows one."""
    is_packaged = settings.ORCHESTRATOR == "local" and not (settings.SPEECH_URL or settings.WHISPER_MODEL)
    return ("en",) if is_packaged else languages.OF_WHISPER


def warnings(options: dict[str, Any]) -> list[Finding]:
    """Return what is allowed and yet not likely to be what the caller wants."""
    found = []
    language = options.get("language", "en").lower().split("-")[0]
    if language != "en" and not settings.SPEECH_URL and not settings.WHISPER_MODEL:
        found.append(
            {
                "field": "options.language",
                "code": "language_not_recognised",
                "message": "The packaged speech model knows English only.",
                "hint": "Give the video a subtitle track, or have the operator set STEPWRIGHT_WHISPER_MODEL.",
            }
        )
    profile = options.get("model_profile", settings.MODEL_PROFILES[0])
    prompt, fitting = options.get("prompt_template_id"), settings.PROMPTS_FOR_DRAFTS.get(profile, [])
    if prompt and fitting and prompt not in fitting:
        found.append(
            {
                "field": "options.prompt_template_id",
                "code": "prompt_not_used",
                "message": f"The model profile {profile} drafts with a template of its own.",
                "hint": f"One of: {', '.join(fitting)}.",
            }
        )
    return found
