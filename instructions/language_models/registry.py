"""The language models that this installation has, by the ids of their profiles."""

from __future__ import annotations

from django.conf import settings

from instructions.language_models import LanguageModel, LanguageModelError
from instructions.language_models.calls import Calls, UncountedCalls
from instructions.language_models.chat import Chat
from instructions.language_models.chat.service import ChatService
from instructions.language_models.extractive import Extractive
from instructions.language_models.fallback import WithFallback
from instructions.language_models.installed import Profile, profiles, profiles_to_choose, prompt_for


def get_model(
    profile_id: str = "", *, prompt_template_id: str = "", calls: Calls | None = None
) -> LanguageModel:
    """Return the model of a profile, the default one for "". `calls` counts and keeps what a chat model is asked.

    A template that is not for this kind of model, or not for what it is asked, is passed over. Raise
    LanguageModelError, MODEL_UNAVAILABLE, for a profile that this installation does not have.
    """
    profile_id = profile_id or default_profile()
    if not is_installed(profile_id):
        raise LanguageModelError(
            "MODEL_UNAVAILABLE",
            "The model profile that was chosen is not available here. Choose another one.",
        )
    profile = profiles()[profile_id]
    if profile.first:
        return WithFallback(
            get_model(profile.first, prompt_template_id=prompt_template_id, calls=calls),
            get_model(profile.fallback, prompt_template_id=prompt_template_id, calls=calls),
        )
    return _made(profile, prompt_template_id, calls or UncountedCalls())


def is_installed(profile_id: str) -> bool:
    """Return whether it is one of ours: the options of a job may name one of an orchestrator elsewhere."""
    return profile_id in profiles_to_choose(has_chat=bool(settings.LLM_URL))


def default_profile() -> str:
    """Return the id of the profile that is taken without a choice: of those that options may choose the first that is
    installed here. With an orchestrator of its own they may all be others; then the first of our own."""
    ours = profiles_to_choose(has_chat=bool(settings.LLM_URL))
    return next((one for one in settings.MODEL_PROFILES if one in ours), ours[0])


def _made(profile: Profile, prompt_template_id: str, calls: Calls) -> LanguageModel:
    if profile.adapter == "extractive":
        return Extractive()
    service = ChatService(
        settings.LLM_URL, settings.LLM_API_KEY, settings.LLM_MODEL, settings.LLM_TIMEOUT_SECONDS
    )
    draft_prompt = prompt_for(profile, "draft", prompt_template_id)
    return Chat(service, profile, draft_prompt, prompt_for(profile, "rewrite", prompt_template_id), calls)
