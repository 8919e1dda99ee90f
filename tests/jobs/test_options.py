"""What may be chosen here, as GET /options lists it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as known
from django.test import Client

from exports.models import Export
from jobs import hooks
from jobs.api.options import warnings
from jobs.languages import OF_WHISPER, is_language_tag
from tests.factories import Api, make_project


def test_everything_that_may_be_chosen_is_listed(owner: Api) -> None:
    assert owner.get("/options").json() == {
        "languages": ["en"],
        "model_profiles": ["extractive"],
        "prompt_templates": ["rules-1"],
        "stt_profiles": ["default"],
        "export_formats": list(Export.Format.values),
        "paper_sizes": ["A4", "LETTER"],
    }


def test_what_is_listed_is_taken_by_a_job(owner: Api) -> None:
    listed = owner.get("/options").json()
    options = {
        "language": listed["languages"][0],
        "model_profile": listed["model_profiles"][0],
        "prompt_template_id": listed["prompt_templates"][0],
        "stt_profile": listed["stt_profiles"][0],
    }
    path = f"/projects/{make_project(owner.user).pk}/jobs"
    assert owner.post(path, {"options": options}).status_code == 201


@pytest.mark.parametrize(
    "change", [{"SPEECH_URL": "https://host"}, {"WHISPER_MODEL": "/a/model"}, {"ORCHESTRATOR": "http"}]
)
def test_other_recognisers_know_many_languages(owner: Api, settings: Any, change: dict[str, str]) -> None:
    for name, value in change.items():
        setattr(settings, name, value)
    assert owner.get("/options").json()["languages"] == list(OF_WHISPER)


def test_the_codes_of_languages_are_tags_and_in_order() -> None:
    assert list(OF_WHISPER) == sorted(set(OF_WHISPER)) and len(OF_WHISPER) == 100
    assert all(map(is_language_tag, OF_WHISPER))


def test_what_later_apps_have_is_registered_by_them() -> None:
    assert set(hooks.CHOICES) == {"export_formats", "paper_sizes"}


def test_whoever_is_not_signed_in_is_told_nothing(db: None) -> None:
    assert Client().get("/api/v1/options").status_code == 401


def test_with_a_language_model_it_is_the_default_and_may_be_left_out() -> None:
    code = "import django; django.setup(); from jobs.api.options import choices; print(choices()['%s'])"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STEPWRIGHT_LLM_URL": "http://127.0.0.1:9",
        "STEPWRIGHT_LLM_MODEL": "a-model",
    }
    for field, expected in (
        (
            "model_profiles",
            ["chat", "sentences", "chat-or-extractive", "sentences-or-extractive", "extractive"],
        ),
        ("prompt_templates", ["guide-1", "rewrite-1", "rules-1", "sentence-2"]),
    ):
        ran = subprocess.run(
            [sys.executable, "-c", code % field], env=environment, capture_output=True, text=True
        )
        assert ran.stdout.strip() == str(expected), ran.stderr
    chosen = environment | {"STEPWRIGHT_MODEL_PROFILES": "chat-or-extractive"}
    ran = subprocess.run(
        [sys.executable, "-c", code % "model_profiles"], env=chosen, capture_output=True, text=True
    )
    assert ran.stdout.strip() == "['chat-or-extractive']", ran.stderr


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        ({"prompt_template_id": "rules-1"}, False),
        ({"prompt_template_id": "guide-1"}, True),
        ({"prompt_template_id": "guide-1", "model_profile": "chat"}, False),
        ({"prompt_template_id": "rewrite-1", "model_profile": "chat"}, True),
        ({"prompt_template_id": "rules-1", "model_profile": "chat-or-extractive"}, True),
        ({"prompt_template_id": "odd", "model_profile": "of-an-orchestrator"}, False),
        ({"model_profile": "chat"}, False),
    ],
)
def test_a_prompt_that_is_not_used_is_a_warning(options: dict[str, str], warned: bool) -> None:
    assert known.MODEL_PROFILES[0] == "extractive"
    assert [finding["code"] for finding in warnings(options)] == ["prompt_not_used"] * warned
