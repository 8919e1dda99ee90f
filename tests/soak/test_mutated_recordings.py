"""A thousand damaged recordings: each is read, or refused by a code that the engines or the limits have.

STEPWRIGHT_SOAK_RECORDINGS says how many; 1,000 when it is not set.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from anchors.frames import EncodedFrame, TimestampOutOfRange, grab_encoded
from config import sandbox
from config.sandbox.pool import pool
from jobs.media.audio import AudioInfo, NoAudio, extract_audio
from jobs.media.probe import Probe, UnreadableVideo, probe_video
from jobs.media.speech.embedded_subtitles import EmbeddedSubtitles
from jobs.media.transcripts import Segment, Transcript
from tests.factories import SAMPLE
from tests.jobs.media.recordings import bursts, write_video

COUNT = int(os.environ.get("STEPWRIGHT_SOAK_RECORDINGS", "1000"))
MAX_GROWTH = 100 * 2**20

pytestmark = [pytest.mark.soak, pytest.mark.timeout(COUNT * 5 + 300)]


def seeds(folder: Path) -> list[bytes]:
    """Whole recordings of the containers and codecs that people upload, small enough to damage everywhere."""
    sound = bursts(2, 0.5, 1.2)
    kinds: dict[str, dict[str, Any]] = {
        "a.mp4": {"codec": "h264"},
        "b.mov": {"codec": "mpeg4"},
        "c.mkv": {"codec": "h264", "sound_codec": "flac"},
        "d.webm": {"codec": "libvpx-vp9", "sound_codec": "libopus"},
        "e.avi": {"codec": "mpeg4", "sound_codec": "mp3"},
        "f.ts": {"codec": "h264"},
    }
    made = [
        write_video(folder / name, sound=sound, **options).read_bytes() for name, options in kinds.items()
    ]
    return [*made, SAMPLE.read_bytes()[: 300 * 1024]]


def flipped(content: bytearray, chosen: random.Random) -> None:
    for _ in range(chosen.choice([1, 4, 64, 1024])):
        content[chosen.randrange(len(content))] = chosen.randrange(256)


def flipped_head(content: bytearray, chosen: random.Random) -> None:
    for _ in range(chosen.choice([1, 3, 16])):
        content[chosen.randrange(min(4096, len(content)))] = chosen.randrange(256)


def huge_number(content: bytearray, chosen: random.Random) -> None:
    at = chosen.randrange(max(1, len(content) - 8))
    content[at : at + 4] = chosen.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x00"])


def cut(content: bytearray, chosen: random.Random) -> None:
    del content[chosen.randrange(len(content)) :]


def without_a_piece(content: bytearray, chosen: random.Random) -> None:
    at = chosen.randrange(len(content))
    del content[at : at + chosen.choice([1, 16, 1000, 50_000])]


def with_a_piece_twice(content: bytearray, chosen: random.Random) -> None:
    at, size = chosen.randrange(len(content)), chosen.choice([16, 1000, 50_000])
    content[at:at] = content[at : at + size] * chosen.choice([1, 1, 20])


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flipped,
    flipped_head,
    huge_number,
    cut,
    without_a_piece,
    with_a_piece_twice,
)


def mutated(folder: Path, count: int) -> Iterator[Path]:
    chosen = random.Random(8)
    whole = seeds(folder)
    path = folder / "mutated"
    for _ in range(count):
        content = bytearray(chosen.choice(whole))
        for _ in range(chosen.choice([1, 1, 2, 5])):
            if content:
                chosen.choice(MUTATIONS)(content, chosen)
        path.write_bytes(content)
        yield path


def outcome(read: Callable[[], object]) -> str:
    """Return what became of a reading; an error that no service expects is let through."""
    try:
        read()
    except UnreadableVideo as error:
        return error.code
    except (NoAudio, TimestampOutOfRange) as error:
        return type(error).__name__
    except sandbox.SandboxError as error:
        assert not error.may_pass, error
        return error.code
    return "read"


def readings(path: Path) -> dict[str, Callable[[], object]]:
    limits, refusals = sandbox.limits, (UnreadableVideo,)
    sound = path.with_suffix(".flac")
    return {
        "probe": lambda: sandbox.call(
            probe_video, path, limits=limits.PROBE, returns=(Probe,), raises=refusals
        ),
        "sound": lambda: sandbox.call(
            extract_audio,
            path,
            sound,
            limits=limits.SOUND.lasting(10_000),
            returns=(AudioInfo,),
            raises=(NoAudio, *refusals),
            on_progress=lambda share: None,
        ),
        "subtitles": lambda: sandbox.call(
            EmbeddedSubtitles().transcribe,
            video=path,
            audio=path,
            language=None,
            limits=limits.SUBTITLES,
            returns=(Transcript, Segment),
            on_progress=lambda share: None,
        ),
        "frame": lambda: sandbox.call(
            grab_encoded,
            path,
            700,
            strategy="precise",
            image_format="png",
            limits=limits.FRAME,
            returns=(EncodedFrame,),
            raises=(TimestampOutOfRange, *refusals),
        ),
    }


def test_a_thousand_damaged_recordings_are_read_or_refused(tmp_path: Path) -> None:
    seen: dict[str, Counter[str]] = {}
    own = psutil.Process()
    before = own.memory_info().rss
    for path in mutated(tmp_path, COUNT):
        for name, read in readings(path).items():
            seen.setdefault(name, Counter())[outcome(read)] += 1
    print({name: dict(counted) for name, counted in seen.items()})
    assert own.memory_info().rss - before < MAX_GROWTH, "nothing of it stays in the process that asks"
    assert all(len(counted) > 1 for name, counted in seen.items() if name != "subtitles")
    assert "WORKER_CRASHED" not in seen["probe"], "no reader crashes on what was damaged at random"
    pool().clear()
