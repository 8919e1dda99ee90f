"""What a step rests on: its span in the recording, the segments that say it, the frames that show it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class EvidenceKind(StrEnum):
    SAID = "said"  # drafted from what was said
    SHOWN = "shown"  # drafted from what the screen shows
    EDITED = "edited"  # written or changed by hand
    GENERATED = "generated"  # rewritten by a model


@dataclass(frozen=True, order=True)
class Frame:
    """A frame of the video: its presentation time in units of the stream's time base, and the SHA-256 of its planes."""

    pts: int
    frame_sha256: str


@dataclass(frozen=True)
class Evidence:
    """The span (milliseconds of the recording; None where nothing is known) and the evidence of one step.

    `segments` are positions in the job's transcript, in ascending order. `needs_review` marks a step whose words do
    not show in what it rests on, and one that rules cut out of a language that they do not know; an edit by hand takes
    the mark away.
    """

    kind: EvidenceKind
    start_ms: int | None = None
    end_ms: int | None = None
    segments: tuple[int, ...] = ()
    frames: tuple[Frame, ...] = ()
    needs_review: bool = False

    def frames_json(self) -> list[dict[str, Any]]:
        return [asdict(frame) for frame in self.frames]


@dataclass(frozen=True)
class DraftStep:
    """What a step of a draft rests on: the plain title of its heading, its span (ms), and positions in the transcript.

    `needs_review` marks a step whose words do not show in those segments, and one that rules cut out of a language
    that they do not know. `frames` show what is done; a step that nobody says has these alone.
    """

    heading: str
    start_ms: int
    end_ms: int
    segments: tuple[int, ...] = ()
    needs_review: bool = False
    frames: tuple[Frame, ...] = ()
