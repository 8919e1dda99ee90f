"""The export's state machine: the database trigger and the check constraint are made from this table.

The rows change by the mechanism of all background work (`config.work.models`), whose updates name the status and the
attempt that they start from.
"""

from __future__ import annotations

from django.db.models import TextChoices


class ExportStatus(TextChoices):
    REQUESTED = "REQUESTED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


S = ExportStatus
# From a status, what an export may become. SUCCEEDED is final: nothing of such a row may change.
TRANSITIONS: dict[ExportStatus, tuple[ExportStatus, ...]] = {
    S.REQUESTED: (S.RUNNING, S.FAILED),  # claimed; ended with its job
    S.RUNNING: (
        S.SUCCEEDED,
        S.FAILED,
        S.REQUESTED,
    ),  # REQUESTED: an error that may pass, or its worker was lost
    S.FAILED: (S.REQUESTED,),  # asked for again
    S.SUCCEEDED: (),
}


def pairs() -> list[tuple[str, str]]:
    """Return every (from, to) that the database lets through, in the table's order."""
    return [(str(source), str(target)) for source, targets in TRANSITIONS.items() for target in targets]
