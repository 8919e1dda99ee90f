"""A model behind a chat server of the tests, and calls that are noted."""

from __future__ import annotations

from typing import Any

from instructions.language_models import Segment
from instructions.language_models.calls import Call, Tokens, UncountedCalls
from instructions.language_models.chat import Chat
from instructions.language_models.chat.service import ChatService
from instructions.language_models.installed import Profile, profiles, prompt_for, prompts
from tests.chat_server import ChatServer


class Noted(UncountedCalls):
    """Calls that are noted, and answers that are kept."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.spent: list[tuple[Tokens, bool]] = []
        self.shares: list[float] = []
        self.most: list[Tokens] = []
        self.cancelled = 0

    def report(self, share: float) -> None:
        self.shares.append(share)

    def answer_to(self, key: str) -> Any | None:
        return self.kept.get(key)

    def begin(self, key: str, most: Tokens) -> Call:
        self.most.append(most)
        calls = self

        class Noting:
            def end(self, spent: Tokens, answer: Any | None) -> None:
                calls.spent.append((spent, answer is not None))
                if answer is not None:
                    calls.kept[key] = answer

            def cancel(self) -> None:
                calls.cancelled += 1

        return Noting()


def chat(server: ChatServer, *, calls: UncountedCalls | None = None, profile: Profile | None = None) -> Chat:
    service = ChatService(server.url, "key", "a-model", 10.0)
    profile = profile or profiles()["chat"]
    prompt = prompt_for(profile, "draft")
    return Chat(service, profile, prompt, prompts()["rewrite-1"], calls or UncountedCalls())


def segments(*texts: str) -> list[Segment]:
    return [Segment(at * 2000, at * 2000 + 1500, text) for at, text in enumerate(texts)]


def small_windows() -> Profile:
    """Some three passages a window, one of them shared."""
    chat_profile = profiles()["chat"]
    return Profile(**{**vars(chat_profile), "window_tokens": 60, "overlap_tokens": 20})
