"""Our own workers as the orchestrator: what is accepted becomes a PipelineRun."""

from __future__ import annotations

from typing import Any


class Local:
    """Always accepts."""

    performs_here = True

    def send(self, key: str, payload: dict[str, Any]) -> None:
        return None

    def send_cancel(self, key: str, payload: dict[str, Any]) -> None:
        return None  # the worker sees at its next heartbeat that the run is closed
