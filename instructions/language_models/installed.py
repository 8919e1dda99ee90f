"""The model profiles and prompt templates that this installation has: files beside this one, named by their ids.

A profile or template that was used is never changed: a changed one is a new file with a new number. Rows and logs
hold the ids, never the text.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Prompt:
    """A prompt template. `uses` has "draft", "rewrite" or both; the texts have `$name` for what is put in.

    `again` is said after an answer that could not be used; `wish` goes before a passage when the editor has one.
    `form` is how a talk is asked about, as in a profile; `examples` go before each question.
    """

    id: str
    adapter: str
    uses: tuple[str, ...]
    system: str = ""
    user: str = ""
    again: str = ""
    wish: str = ""
    form: str = ""
    examples: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True)
class Profile:
    """A model profile: the adapter, its prompts, and for a chat model how much it is asked at once.

    A long transcript is cut into windows of about `window_tokens`, which repeat `overlap_tokens` of the one before;
    an answer has at most `max_tokens`.

    With the form "sentences" it is asked about one passage at a time: those whose score by the finder is from
    `clear_below` up to `clear_above`. A title has at most `title_tokens`.

    A profile may be made of two others: the one that is asked `first`, and its `fallback`, which takes over when that
    fails.
    """

    id: str
    adapter: str
    draft_prompt: str = ""
    rewrite_prompt: str = ""
    temperature: float = 0.0
    window_tokens: int = 0
    overlap_tokens: int = 0
    max_tokens: int = 0
    form: str = ""
    clear_below: float = 0.0
    clear_above: float = 1.0
    title_tokens: int = 0
    first: str = ""
    fallback: str = ""


@cache
def profiles() -> dict[str, Profile]:
    """Return every profile by its id."""
    return {entry["id"]: Profile(**entry) for entry in _entries("profiles")}


@cache
def prompts() -> dict[str, Prompt]:
    """Return every prompt template by its id."""
    return {entry["id"]: _prompt(entry) for entry in _entries("prompts")}


def profiles_to_choose(*, has_chat: bool) -> list[str]:
    """Return the ids of the profiles that work here, what is taken without a choice first.

    `has_chat` says whether there is a service for the adapter `chat`.
    """
    order = ["chat", "extractive"] if has_chat else ["extractive"]
    known = [profile for profile in profiles().values() if profile.adapter in order]
    return [one.id for one in sorted(known, key=lambda one: (order.index(one.adapter), len(one.id), one.id))]


def prompts_to_choose(profile_ids: Sequence[str]) -> list[str]:
    """Return the ids of the templates that one of these profiles can be given; unknown profiles count for nothing."""
    adapters = {profiles()[one].adapter for one in profile_ids if one in profiles()}
    return sorted(prompt.id for prompt in prompts().values() if prompt.adapter in adapters)


def prompts_for_drafts() -> dict[str, list[str]]:
    """Return for each profile the ids of the templates that it can be given to draft with."""
    return {
        profile.id: sorted(prompt.id for prompt in prompts().values() if _is_for(prompt, profile, "draft"))
        for profile in profiles().values()
    }


def prompt_for(profile: Profile, use: str, chosen: str = "") -> Prompt:
    """Return the template that a profile uses to "draft" or to "rewrite": the chosen one if it is for that, else the
    profile's own."""
    prompt = prompts().get(chosen)
    if prompt and _is_for(prompt, profile, use):
        return prompt
    return prompts()[profile.draft_prompt if use == "draft" else profile.rewrite_prompt]


def _is_for(prompt: Prompt, profile: Profile, use: str) -> bool:
    is_in_form = use != "draft" or prompt.form == profile.form
    return prompt.adapter == profile.adapter and use in prompt.uses and is_in_form


def _prompt(entry: dict[str, Any]) -> Prompt:
    return Prompt(**{**entry, "uses": tuple(entry["uses"]), "examples": tuple(entry.get("examples", ()))})


def _entries(folder: str) -> list[dict[str, Any]]:
    return [
        tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((_HERE / folder).glob("*.toml"))
    ]
