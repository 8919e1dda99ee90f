"""The language models of this installation, by the ids of their profiles."""

from __future__ import annotations

from collections.abc import Callable

from instructions.language_models import LanguageModel, LanguageModelError
from instructions.language_models.extractive import MODEL_PROFILE_ID, Extractive

_MODELS: dict[str, Callable[[], LanguageModel]] = {MODEL_PROFILE_ID: Extractive}


def is_installed(profile_id: str) -> bool:
    """Return whether it is one of ours: the options of a job may name one of an orchestrator elsewhere."""
    return profile_id in _MODELS


def get_model(profile_id: str = "", *, prompt_template_id: str = "") -> LanguageModel:
    """Return the model of a profile, the default one for "". Raise LanguageModelError, MODEL_UNAVAILABLE, for one that
    is not installed. A template that is not for this kind of model is passed over."""
    if profile_id and not is_installed(profile_id):
        raise LanguageModelError("MODEL_UNAVAILABLE", "This installation has no model of that name.")
    return _MODELS[profile_id or MODEL_PROFILE_ID]()
