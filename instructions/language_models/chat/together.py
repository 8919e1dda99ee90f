"""Ask several questions at once. Calls are counted, and whether the work goes on is looked at, by the thread that asks;
other threads only wait for the service."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic

from instructions.language_models.calls import Calls
from instructions.language_models.chat.asking import TRIES, Asked, Found, Opened, Read, begin
from instructions.language_models.chat.service import Answer, ChatService
from instructions.language_models.checks.drafts import AnswerInvalid
from instructions.language_models.installed import Profile

log = logging.getLogger(__name__)

_HEARTBEAT = 0.25  # seconds between two looks at whether the work was cancelled


class _Stopped(Exception):
    """The work has ended, and nobody waits for the answer."""


@dataclass(frozen=True)
class _Waiting:
    index: int
    tries: int = 0
    reason: str = ""


def ask_together(
    asked: Sequence[Asked], read: Read[Found], *, service: ChatService, profile: Profile, calls: Calls
) -> list[Found | None]:
    """Return what `read` finds in the answer to each question, None after two answers that cannot be used.

    The first is asked alone: it fills the server's cache with what all have in common, and `service` learns by it what
    the server knows. Raise LanguageModelError when the service fails.
    """
    return _Together(asked, read, service, profile, calls).answers()


class _Together(Generic[Found]):
    def __init__(
        self, asked: Sequence[Asked], read: Read[Found], service: ChatService, profile: Profile, calls: Calls
    ) -> None:
        self._asked, self._read, self._service = asked, read, service
        self._profile, self._calls = profile, calls
        self._waiting = deque(_Waiting(index) for index in range(len(asked)))
        self._running: dict[Future[Answer], tuple[_Waiting, Opened]] = {}
        self._found: list[Found | None] = [None] * len(asked)
        self._answered = 0
        self._stopped = threading.Event()

    def answers(self) -> list[Found | None]:
        with ThreadPoolExecutor(self._profile.parallel, thread_name_prefix="language-model") as threads:
            try:
                while self._waiting or self._running:
                    self._send(threads)
                    done, _ = wait(self._running, timeout=_HEARTBEAT, return_when=FIRST_COMPLETED)
                    self._calls.check()
                    for future in done:
                        self._take(future)
            finally:
                self._stopped.set()
                for _, opened in self._running.values():
                    opened.call.end(opened.most, None)
        return self._found

    def _send(self, threads: ThreadPoolExecutor) -> None:
        """Send as many questions as may be under way at once."""
        most = self._profile.parallel if self._answered else 1
        while self._waiting and len(self._running) < most:
            one = self._waiting.popleft()
            opened = begin(self._asked[one.index], one.reason, self._profile, self._calls)
            future = threads.submit(self._service.ask, opened.question, self._check)
            self._running[future] = one, opened

    def _take(self, future: Future[Answer]) -> None:
        one, opened = self._running.pop(future)
        self._answered += 1
        try:
            self._found[one.index] = opened.finish(future.result, self._read)
        except AnswerInvalid as error:
            log.info(
                "answer of a language model cannot be used: prompt %s, %s", opened.asked.prompt.id, error
            )
            if one.tries + 1 < TRIES:
                self._waiting.appendleft(_Waiting(one.index, one.tries + 1, str(error)))
        self._calls.report(self._answered / (self._answered + len(self._waiting) + len(self._running)))

    def _check(self) -> None:
        if self._stopped.is_set():
            raise _Stopped
