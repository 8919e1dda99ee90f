"""What the pages call the states of jobs and exports, and what one may do in each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.states import JobStatus as S

RUNNING, WAITING, DONE, FAILED, CANCELLED = "running", "waiting", "done", "failed", "cancelled"


@dataclass(frozen=True)
class Words:
    """A state's group, which is also the look of its badge, its name, and what happens now or is to be done."""

    group: str
    name: str
    now: str


STATES: dict[str, Words] = {
    S.CREATED: Words(WAITING, "No recording yet", "Upload the recording."),
    S.UPLOADING: Words(WAITING, "Uploading", "Finish the upload, then confirm it."),
    S.UPLOADED: Words(WAITING, "Ready to run", "Start the run."),
    S.AUDIO_EXTRACTING: Words(
        RUNNING, "Reading the recording", "The sound is taken out and the screen is read."
    ),
    S.AUDIO_READY: Words(RUNNING, "Recording read", "The transcript comes next."),
    S.TRANSCRIBING: Words(RUNNING, "Transcribing", "What is said is written down."),
    S.TRANSCRIPT_READY: Words(RUNNING, "Transcribed", "The draft comes next."),
    S.GENERATING: Words(RUNNING, "Drafting", "The steps of the guide are written."),
    S.DRAFT_READY: Words(WAITING, "Draft ready", "Open the document to edit it."),
    S.EDITING: Words(WAITING, "Being edited", "Edit the document, then export it."),
    S.REGENERATING: Words(RUNNING, "Rewriting", "A model writes a part of the document anew."),
    S.EXPORTING: Words(RUNNING, "Exporting", "The guide is made into a file."),
    S.DONE: Words(DONE, "Done", "The guide can be downloaded."),
    S.FAILED: Words(FAILED, "Failed", "Retry it to go on from where it failed."),
    S.CANCELLED: Words(CANCELLED, "Cancelled", "It was ended before it was done."),
}
GROUPS = {
    "": "All",
    RUNNING: "Running",
    WAITING: "Waiting for you",
    DONE: "Done",
    FAILED: "Failed",
    CANCELLED: "Cancelled",
}
# Beside its own: a job that waits for a worker, whatever its state.
QUEUED = Words(RUNNING, "In the queue", "It waits for a worker.")
FORMATS = {
    "PDF": "PDF",
    "HTML": "Web page (HTML)",
    "DOCX": "Word document (DOCX)",
    "MD_ZIP": "Markdown bundle (ZIP)",
}
EXPORTS = {
    "REQUESTED": Words(RUNNING, "In the queue", "It waits for a worker."),
    "RUNNING": Words(RUNNING, "Being made", ""),
    "SUCCEEDED": Words(DONE, "Ready", ""),
    "FAILED": Words(FAILED, "Failed", "Ask for it again."),
}
# The pipeline's stages: states in which each works, and is over.
STAGES = (
    (S.AUDIO_EXTRACTING, S.AUDIO_READY),
    (S.TRANSCRIBING, S.TRANSCRIPT_READY),
    (S.GENERATING, S.DRAFT_READY),
)
# What a job goes through, and the state from which on each is behind it.
STEPS = (
    ("Recording uploaded", S.UPLOADED),
    ("Sound and screen read", S.AUDIO_READY),
    ("Speech transcribed", S.TRANSCRIPT_READY),
    ("Steps drafted", S.DRAFT_READY),
    ("Document opened", S.EDITING),
    ("Guide exported", S.DONE),
)
ROAD: list[S] = [status for status in S if status not in (S.FAILED, S.CANCELLED)]


def statuses_of(group: str) -> list[str]:
    """Return the statuses of a group; none for "", which is all."""
    return [str(status) for status, words in STATES.items() if words.group == group]


def progress_of(status: str, stage_pct: int) -> int | None:
    """Return how far the pipeline is, in per cent: each stage is a third, `stage_pct` is of the one that works. None
    where the pipeline does not work."""
    for number, (working, over) in enumerate(STAGES):
        if status == working:
            return (100 * number + stage_pct) // len(STAGES)
        if status == over and number + 1 < len(STAGES):
            return 100 * (number + 1) // len(STAGES)
    return None


def age(since: datetime, now: datetime) -> str:
    """Return how long ago something was, in words that change at most once a minute."""
    past = max(now - since, timedelta())
    for unit, length in (
        ("day", timedelta(days=1)),
        ("hour", timedelta(hours=1)),
        ("minute", timedelta(minutes=1)),
    ):
        if number := past // length:
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return "under a minute"
