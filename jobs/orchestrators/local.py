"""Our own workers as the orchestrator: an accepted dispatch becomes a PipelineRun."""

from __future__ import annotations

from typing import Any


class Local:
    """Accepts every dispatch."""

    performs_here = True

    def send(self, key: str, payload: dict[str, Any]) -> None:
        return None

    def send_cancel(self, key: str, payload: dict[str, Any]) -> None:
        return None  # at its next heartbeat the worker finds that the run is closed
