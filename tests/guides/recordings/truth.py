"""Write down what is true of a recording, beside it, on its own clock and in shares of its picture."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from jobs.media.audio import extract_audio
from jobs.media.speech.whisper import Whisper
from tests.guides.recordings.display import Display
from tests.guides.recordings.stage import Box, Stage

SHORTEST_SEEN_S = 0.3  # what moves past while a list scrolls is not kept
Seen = list[tuple[float, list[dict[str, Any]]]]


def write_truth(target: Path, stage: Stage, seen: Seen, begin: float, end: float, language: str) -> None:
    def ms(at: float) -> int:
        return round((min(max(at, begin), end) - begin) * 1000)

    content = {
        "language": language,
        "narration": [
            {"start_ms": ms(at), "end_ms": ms(at + clip.seconds), "text": clip.text}
            for at, clip in stage.said
        ],
        "segments": transcribe(target.with_suffix(".mp4"), language) if stage.said else [],
        "events": [
            {
                "at_ms": ms(event.at),
                **({} if event.end is None else {"end_ms": ms(event.end)}),
                "kind": event.kind,
                "label": event.control.label,
                **({} if event.text is None else {"text": event.text}),
                "region": shares(event.control.box, stage.display),
            }
            for event in stage.events
        ],
        "steps": [
            {"at_ms": ms(step.at), "title_words": step.words, "title": step.title, "event": step.event}
            for step in stage.steps
        ],
        "undone_ms": [ms(at) for at in stage.undone],
        "hidden": [
            {
                "kind": kind,
                "start_ms": ms(first),
                "end_ms": ms(last),
                "region": shares(box, stage.display),
                "text": text,
            }
            for kind, text, box, first, last in spans(seen, begin, end)
        ],
    }
    written = yaml.safe_dump(content, sort_keys=False, default_flow_style=None, allow_unicode=True, width=110)
    target.with_suffix(".yaml").write_text(written)


def spans(seen: Seen, begin: float, end: float) -> Iterator[tuple[str, str, Box, float, float]]:
    """Yield what stands at a place from when until when, by its first time."""
    moments = [(at, shown) for at, shown in seen if begin - 0.15 <= at <= end + 0.15]
    running: dict[tuple[str, str, Box], float] = {}
    found = []
    for at, shown in [*moments, (end, [])]:
        now = {(each["kind"], each["text"], _whole(each["box"])) for each in shown}
        for key in [key for key in running if key not in now]:
            found.append((*key, running.pop(key), at))
        for key in now:
            running.setdefault(key, at)
    yield from sorted(
        (span for span in found if span[4] - span[3] >= SHORTEST_SEEN_S),
        key=lambda span: (span[3], span[2]),
    )


def _whole(box: Box) -> Box:
    x, y, width, height = box
    return round(x), round(y), round(width), round(height)


def shares(box: Box, display: Display) -> dict[str, float]:
    """Return the part of a box that is on the screen."""
    x, y, width, height = box
    left, top = max(0.0, x), max(0.0, y)
    right, bottom = min(display.width, x + width), min(display.height, y + height)
    return {
        "x": round(left / display.width, 4),
        "y": round(top / display.height, 4),
        "width": round((right - left) / display.width, 4),
        "height": round((bottom - top) / display.height, 4),
    }


def transcribe(video: Path, language: str) -> list[dict[str, Any]]:
    """Return what the project's own recogniser hears."""
    with tempfile.TemporaryDirectory() as work:
        audio = Path(work) / "audio.flac"
        extract_audio(video, audio, on_progress=lambda share: None)
        transcript = Whisper(None).transcribe(
            video=video, audio=audio, language=language, on_progress=lambda share: None
        )
    return [
        {"start_ms": each.start_ms, "end_ms": each.end_ms, "text": each.text} for each in transcript.segments
    ]
