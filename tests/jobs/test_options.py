"""A job's options: the same checks at creation and at `/options/validate`, with hints."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import Api, make_project

BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"language": "english please"}, "language", "invalid"),
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


def test_good_options_are_valid_and_kept(owner: Api) -> None:
    options = {
        "language": "en-GB",
        "model_profile": "extractive",
        "title": "How to",
        "auto_screenshots": False,
    }
    answer = owner.post("/options/validate", {"options": options})
    assert answer.json() == {"valid": True, "errors": [], "warnings": []}
    made = owner.post(f"/projects/{make_project(owner.user).pk}/jobs", {"options": options})
    assert made.json()["options"] == options


@pytest.mark.parametrize("body", [None, {}, {"options": {}}])
def test_a_job_needs_no_options_and_no_body(owner: Api, body: Any) -> None:
    made = owner.post(f"/projects/{make_project(owner.user).pk}/jobs", body)
    assert (made.status_code, made.json()["options"]) == (201, {"auto_screenshots": True})


def test_a_language_that_the_packaged_model_does_not_know_is_a_warning(owner: Api) -> None:
    answer = owner.post("/options/validate", {"options": {"language": "de"}}).json()
    assert answer["valid"] is True
    (warning,) = answer["warnings"]
    assert (warning["field"], warning["code"]) == ("options.language", "language_not_recognised")


@pytest.mark.parametrize("body", [None, {}, {"options": 1}, {"options": {}, "odd": 1}])
def test_a_body_that_is_not_options_is_400(owner: Api, body: Any) -> None:
    answer = owner.post("/options/validate", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
