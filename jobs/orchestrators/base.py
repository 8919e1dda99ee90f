"""The interface of an orchestrator, which performs the pipeline of a job."""

from __future__ import annotations

from typing import Any, Protocol


class NotAccepted(Exception):
    """The orchestrator refused, or was not reached: it has not begun."""


class AnswerLost(Exception):
    """The request was sent and no answer came: it is not known whether the orchestrator has begun."""


class Orchestrator(Protocol):
    performs_here: bool  # whether an accepted dispatch is work for our own workers

    def send(self, key: str, payload: dict[str, Any]) -> None:
        """Send one execution, and return when it was accepted. For a key that was sent before, no second one begins.

        Raise NotAccepted or AnswerLost. Call it outside transactions.
        """

    def send_cancel(self, key: str, payload: dict[str, Any]) -> None:
        """Cancel an execution; raise what `send` raises."""
