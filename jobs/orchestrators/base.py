"""What an orchestrator is: whoever performs a job's pipeline."""

from __future__ import annotations

from typing import Any, Protocol


class NotAccepted(Exception):
    """The orchestrator said no, or was not reached: it has not begun."""


class AnswerLost(Exception):
    """It was sent and no answer came: whether the orchestrator has begun is not known."""


class Orchestrator(Protocol):
    performs_here: bool  # an accepted dispatch is then work for our own workers

    def send(self, key: str, payload: dict[str, Any]) -> None:
        """Send one execution. Sent again under the same key it must not begin a second one.

        Returns when it was accepted; raises NotAccepted or AnswerLost. Called outside any transaction.
        """

    def send_cancel(self, key: str, payload: dict[str, Any]) -> None:
        """Say that an execution is not wanted any more; raises like `send`."""
