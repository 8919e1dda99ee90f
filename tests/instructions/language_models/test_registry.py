"""Profiles and prompts in their files, and the models that are made of them."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template
from typing import Any

import pytest

from instructions import language_models
from instructions.language_models import LanguageModelError, Segment
from instructions.language_models.chat import Chat
from instructions.language_models.extractive import Extractive
from instructions.language_models.fallback import WithFallback
from instructions.language_models.installed import (
    profiles,
    profiles_to_choose,
    prompt_for,
    prompts,
    prompts_to_choose,
)
from instructions.language_models.registry import default_profile, get_model

FOLDER = Path(language_models.__file__).parent
VALUES = {
    "draft": {"fence", "part", "parts", "language", "passages"},
    "rewrite": {"fence", "wish", "passage"},
    "sentences": {"turn"},
}


@pytest.fixture
def service(settings: Any) -> None:
    settings.LLM_URL, settings.LLM_MODEL, settings.LLM_API_KEY = "http://127.0.0.1:9", "m", ""
    settings.MODEL_PROFILES = profiles_to_choose(has_chat=True)


def test_each_file_is_named_by_its_id() -> None:
    for folder, known in (("profiles", profiles()), ("prompts", prompts())):
        assert sorted(known) == sorted(path.stem for path in (FOLDER / folder).glob("*.toml"))
    assert all(re.fullmatch(r"[a-z]+-[0-9]+", name) for name in prompts()), "a prompt has a version"


def test_each_profile_names_prompts_of_its_own_kind_and_fits_its_window() -> None:
    for profile in profiles().values():
        if profile.first:
            assert {profile.first, profile.fallback} <= set(profiles())
            continue
        for use in ("draft", "rewrite"):
            prompt = prompt_for(profile, use)
            assert prompt.adapter == profile.adapter and use in prompt.uses
            assert use == "rewrite" or prompt.form == profile.form
        assert profile.overlap_tokens * 4 <= profile.window_tokens
        assert profile.window_tokens + profile.max_tokens < 8192 - 800 or not profile.max_tokens


def test_each_prompt_takes_the_values_that_it_is_given() -> None:
    for prompt in prompts().values():
        for use in prompt.uses if prompt.adapter == "chat" else ():
            names = VALUES[prompt.form or use]
            Template(prompt.system).substitute(dict.fromkeys(names, "x"))
            assert set(Template(prompt.user).get_identifiers()) == names
            assert Template(prompt.again).get_identifiers() == ["reason"]


def test_what_may_be_chosen_depends_on_whether_there_is_a_service() -> None:
    assert profiles_to_choose(has_chat=False) == ["extractive"]
    assert profiles_to_choose(has_chat=True) == [
        *("chat", "sentences", "chat-or-extractive", "sentences-or-extractive", "extractive"),
    ]
    assert prompts_to_choose(["extractive"]) == ["rules-1"]
    assert prompts_to_choose(["chat", "extractive", "another"]) == [
        "guide-1",
        "rewrite-1",
        "rules-1",
        "sentence-2",
    ]


def test_a_prompt_of_another_kind_is_passed_over() -> None:
    chat = profiles()["chat"]
    for chosen in ("rules-1", "rewrite-1", "sentence-2", "", "odd"):
        assert prompt_for(chat, "draft", chosen).id == "guide-1"
    assert prompt_for(profiles()["extractive"], "draft", "guide-1").id == "rules-1"
    assert prompt_for(profiles()["sentences"], "draft", "guide-1").id == "sentence-2"


def test_each_profile_that_may_be_chosen_makes_a_model(service: None) -> None:
    made = [type(get_model(profile)) for profile in profiles_to_choose(has_chat=True)]
    assert made == [Chat, Chat, WithFallback, WithFallback, Extractive]
    assert isinstance(get_model(), Chat)


@pytest.mark.parametrize("profile", ["chat", "chat-or-extractive", "gpt-99"])
def test_a_profile_that_is_not_here_is_unavailable(profile: str) -> None:
    with pytest.raises(LanguageModelError) as raised:
        get_model(profile)
    assert raised.value.code == "MODEL_UNAVAILABLE"
    assert isinstance(get_model(), Extractive)


@pytest.mark.parametrize(
    ("named", "default"),
    [
        (["extractive", "chat"], "extractive"),
        (["chat-or-extractive"], "chat-or-extractive"),
        (["fast", "thorough"], "chat"),
        (["fast", "extractive"], "extractive"),
    ],
)
def test_the_default_is_the_first_that_is_named_and_installed(
    service: None, settings: Any, named: list[str], default: str
) -> None:
    settings.MODEL_PROFILES = named
    assert default_profile() == default


def test_a_failing_model_is_replaced(service: None) -> None:
    model = get_model("chat-or-extractive")  # nothing listens at that port
    rewriting = model.rewrite("so now um click on save", context=None)
    assert (rewriting.markdown, rewriting.model_profile_id) == ("Click on save.", "extractive")
    assert model.rewrite("Click on it. " * 3000, context=None).model_profile_id == "extractive"
    draft = model.draft([Segment(0, 900, "Click on Save.")], title=None, language="en")
    assert (draft.model_profile_id, draft.counts) == ("extractive", {"model_failed": 1})


def test_without_speech_no_model_is_replaced(service: None) -> None:
    with pytest.raises(LanguageModelError) as raised:
        get_model("chat-or-extractive").draft([], title=None, language="en")
    assert raised.value.code == "NO_SPEECH"
