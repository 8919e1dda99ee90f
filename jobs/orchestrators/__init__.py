"""Who performs a job's pipeline: our own workers (`local`) or somebody else's, over HTTP (`http`)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

from django.conf import settings


class NotAccepted(Exception):
    """The orchestrator said no, or was not reached: it has not begun."""


class AnswerLost(Exception):
    """It was sent and no answer came: whether the orchestrator has begun is not known."""


class Orchestrator(Protocol):
    performs_here: bool  # an accepted dispatch is then work for our own workers

    def send(self, key: str, payload: dict[str, Any]) -> None:
        """Hand one execution over. Sent again under the same key it must not begin a second one.

        Returns when it was accepted; raises NotAccepted or AnswerLost. Called outside any transaction.
        """

    def send_cancel(self, key: str, payload: dict[str, Any]) -> None:
        """Say that an execution is not wanted any more; raises like `send`."""


def orchestrator(name: str) -> Orchestrator:
    """The one that STEPWRIGHT_ORCHESTRATOR names, or named when a dispatch was opened."""
    return _orchestrator(
        name, settings.ORCHESTRATOR_URL, settings.ORCHESTRATOR_SECRET, settings.ORCHESTRATOR_SECONDS
    )


@lru_cache(maxsize=8)
def _orchestrator(name: str, url: str, secret: str, seconds: float) -> Orchestrator:
    if name == "local":
        from jobs.orchestrators.local import Local

        return Local()
    from jobs.orchestrators.http import Http

    return Http(url, secret=secret, seconds=seconds)
