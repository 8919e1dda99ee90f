"""Who performs a job's pipeline: our own workers (`local`) or somebody else's, over HTTP (`http`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from django.conf import settings

if TYPE_CHECKING:
    from jobs.models import Dispatch, Job


class Orchestrator(Protocol):
    def dispatch(self, job: Job, dispatch: Dispatch) -> None:
        """Hand one execution over."""


def orchestrator() -> Orchestrator:
    """The one that STEPWRIGHT_ORCHESTRATOR names."""
    if settings.ORCHESTRATOR == "local":
        from jobs.orchestrators.local import Local

        return Local()
    raise ValueError("STEPWRIGHT_ORCHESTRATOR must be: local")
