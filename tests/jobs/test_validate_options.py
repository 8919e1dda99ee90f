"""A job's options: the same checks at creation and at `/options/validate`, with hints."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from tests.factories import Api, make_project

BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"language": "english please"}, "language", "invalid"),
    ({"language": "english"}, "language", "invalid"),
    ({"language": "en\n"}, "language", "invalid"),
    ({"language": " en"}, "language", "invalid"),
    ({"language": "x" * 36}, "language", "max_length"),
    ({"language": ""}, "language", "blank"),
    ({"language": ["en"]}, "language", "wrong_type"),
    ({"model_profile": "gpt-99"}, "model_profile", "invalid_choice"),
    ({"prompt_template_id": "odd"}, "prompt_template_id", "invalid_choice"),
    ({"stt_profile": "odd"}, "stt_profile", "invalid_choice"),
    ({"title": ""}, "title", "blank"),
    ({"title": "x" * 201}, "title", "max_length"),
    ({"auto_screenshots": "perhaps"}, "auto_screenshots", "wrong_type"),
    ({"odd": 1}, "odd", "unknown_field"),
]


@pytest.mark.parametrize(("options", "field", "code"), BAD)
def test_bad_options_are_refused_alike_with_the_field_and_a_hint(
    owner: Api, options: dict[str, Any], field: str, code: str
) -> None:
    asked = owner.post("/options/validate", {"options": options})
    assert asked.status_code == 200
    (error,) = asked.json()["errors"]
    assert (asked.json()["valid"], error["field"], error["code"]) == (False, f"options.{field}", code)
    assert error["message"] and error["hint"]
    created = owner.post(f"/projects/{make_project(owner.user).pk}/jobs", {"options": options})
    assert (created.status_code, created.json()["code"]) == (400, "VALIDATION_ERROR")
    assert created.json()["details"]["errors"] == [error]
    assert created.json()["hint"] == error["hint"]


def test_a_hint_names_what_is_allowed(owner: Api) -> None:
    (error,) = owner.post("/options/validate", {"options": {"model_profile": "x"}}).json()["errors"]
    assert error["hint"] == "One of: extractive."


def test_the_hint_of_a_wrong_language_gives_examples(owner: Api) -> None:
    (error,) = owner.post("/options/validate", {"options": {"language": "english"}}).json()["errors"]
    assert error["message"] == "This is not a BCP 47 language tag."
    assert "such as en or pt-BR" in error["hint"]


def test_the_operator_names_what_options_and_retries_choose_from() -> None:
    code = """
import django
django.setup()
from rest_framework.exceptions import ValidationError
from config.api.serializers import validate
from jobs.api.options import DEFAULTS, hints
from jobs.api.serializers import JobOptionsBody, RetryBody
chosen = {"model_profile": "fast", "stt_profile": "large:v3", "prompt_template_id": "how_to.2"}
assert validate(JobOptionsBody, chosen) == {**chosen, **DEFAULTS}
assert validate(RetryBody, {"model_profile": "thorough", "client_request_id": "r"})
for shape, more in ((JobOptionsBody, {}), (RetryBody, {"client_request_id": "r"})):
    try:
        validate(shape, {"model_profile": "extractive", **more})
    except ValidationError as error:
        assert list(error.detail) == ["model_profile"]
    else:
        raise AssertionError(shape)
print(hints()["model_profile"], hints()["stt_profile"], hints()["prompt_template_id"])
"""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STEPWRIGHT_ORCHESTRATOR": "http",
        "STEPWRIGHT_ORCHESTRATOR_URL": "http://127.0.0.1:1/",
        "STEPWRIGHT_MODEL_PROFILES": "fast, thorough",
        "STEPWRIGHT_STT_PROFILES": "large:v3",
        "STEPWRIGHT_PROMPT_TEMPLATES": "how_to.2",
    }
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert ran.stdout == "One of: fast, thorough. One of: large:v3. One of: how_to.2.\n", ran.stderr


@pytest.mark.parametrize("language", ["en-GB", "EN-us", "zh-Hant-TW", "x-dothraki", "i-Klingon"])
def test_a_language_is_kept_as_it_was_sent(owner: Api, language: str) -> None:
    path = f"/projects/{make_project(owner.user).pk}/jobs"
    assert owner.post(path, {"options": {"language": language}}).json()["options"]["language"] == language


def test_good_options_are_valid_and_kept(owner: Api) -> None:
    options = {
        "language": "en-GB",
        "model_profile": "extractive",
        "title": "How to",
        "auto_screenshots": False,
        "auto_redact": True,
        "highlight_clicks": False,
        "crop_pictures": True,
    }
    answer = owner.post("/options/validate", {"options": options})
    assert answer.json() == {"valid": True, "errors": [], "warnings": []}
    made = owner.post(f"/projects/{make_project(owner.user).pk}/jobs", {"options": options})
    assert made.json()["options"] == options


@pytest.mark.parametrize("body", [None, {}, {"options": {}}])
def test_a_job_needs_no_options_and_no_body(owner: Api, body: Any) -> None:
    made = owner.post(f"/projects/{make_project(owner.user).pk}/jobs", body)
    assert (made.status_code, made.json()["options"]) == (
        201,
        {"auto_screenshots": True, "auto_redact": False, "highlight_clicks": True},
    )


def test_english_in_capital_letters_is_no_warning(owner: Api) -> None:
    answer = owner.post("/options/validate", {"options": {"language": "EN-us"}}).json()
    assert answer == {"valid": True, "errors": [], "warnings": []}


def test_a_language_that_the_packaged_model_does_not_know_is_a_warning(owner: Api) -> None:
    answer = owner.post("/options/validate", {"options": {"language": "de"}}).json()
    assert answer["valid"] is True
    (warning,) = answer["warnings"]
    assert (warning["field"], warning["code"]) == ("options.language", "language_not_recognised")


@pytest.mark.parametrize("body", [None, {}, {"options": 1}, {"options": {}, "odd": 1}])
def test_a_body_that_is_not_options_is_400(owner: Api, body: Any) -> None:
    answer = owner.post("/options/validate", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
