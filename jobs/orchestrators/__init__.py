"""The orchestrators, which perform the pipeline of a job: our own workers (`local`) or an external one (`http`)."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from jobs.orchestrators.base import AnswerLost, NotAccepted, Orchestrator
from jobs.orchestrators.http import Http
from jobs.orchestrators.local import Local

__all__ = ["AnswerLost", "NotAccepted", "Orchestrator", "orchestrator"]


def orchestrator(name: str) -> Orchestrator:
    """Return the orchestrator with a name: STEPWRIGHT_ORCHESTRATOR, or what it was when a dispatch was opened."""
    return _orchestrator(
        name, settings.ORCHESTRATOR_URL, settings.ORCHESTRATOR_SECRET, settings.ORCHESTRATOR_SECONDS
    )


@lru_cache(maxsize=8)
def _orchestrator(name: str, url: str, secret: str, seconds: float) -> Orchestrator:
    return Local() if name == "local" else Http(url, secret=secret, seconds=seconds)
