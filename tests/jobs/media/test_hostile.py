"""Small recordings that ask for much: each is read or refused within the limits of its kind of work."""

from __future__ import annotations

import dataclasses
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

import pytest

from anchors.frames import EncodedFrame, TimestampOutOfRange, grab_encoded
from config import sandbox
from config.sandbox import SandboxError, limits
from config.sandbox.pool import pool
from jobs.media.audio import AudioInfo, NoAudio, UnreadableSound, extract_audio, read_sound
from jobs.media.probe import Probe, UnreadableVideo, probe_video
from jobs.media.speech import SpeechError, voice
from jobs.media.speech.embedded_subtitles import EmbeddedSubtitles
from jobs.media.subtitles import SubtitleTrack, read_subtitle_stream
from jobs.media.transcripts import Segment, Transcript
from tests import sandbox_engines as engines
from tests.jobs.media import hostile

pytestmark = pytest.mark.slow

RESULTS = (Probe, AudioInfo, SubtitleTrack, Segment, Transcript, EncodedFrame)
REFUSALS = (UnreadableVideo, NoAudio, SpeechError, TimestampOutOfRange)


@pytest.fixture(autouse=True)
def children_of_their_own() -> Iterator[None]:
    pool().clear()
    yield
    pool().clear()


def run(
    engine: Callable[..., Any], *args: Any, within: sandbox.Limits, **kwargs: Any
) -> tuple[Any, float, int]:
    """Return what an engine answers in a child, with its seconds of processor time and MiB of memory."""
    found: tuple[Any, float, int] = sandbox.call(
        engines.measured, engine, *args, limits=within, returns=RESULTS, raises=REFUSALS, **kwargs
    )
    return found


def ended(engine: Callable[..., Any], *args: Any, within: sandbox.Limits) -> tuple[str, float]:
    """Return the code by which a child ends, and its seconds of processor time."""
    before = getrusage(RUSAGE_CHILDREN)
    with pytest.raises((SandboxError, UnreadableVideo)) as caught:
        run(engine, *args, within=within)
    pool().clear()
    after = getrusage(RUSAGE_CHILDREN)
    return caught.value.code, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


LARGE_SUBTITLES = {
    "drawings": "{\\p1}" * 400_000,
    "braces": "{" * 2_000_000,
    "tags": "<b " * 700_000,
    "words": "word " * 400_000,
}


@pytest.mark.parametrize("text", LARGE_SUBTITLES.values(), ids=LARGE_SUBTITLES.keys())
def test_one_subtitle_of_two_megabytes_is_passed_over(text: str, tmp_path: Path) -> None:
    video = hostile.one_large_subtitle(tmp_path / "v.mkv", text)
    assert video.stat().st_size < 12_000
    track, seconds, memory = run(read_subtitle_stream, video, None, within=limits.SUBTITLES)
    assert track is None
    assert seconds < 2 and memory < 200


def test_markup_is_taken_out_in_linear_time(tmp_path: Path) -> None:
    """In subtitles of the size that is read: the expression for drawings was quadratic."""
    text = "{\\p1}" * 48_000
    video = hostile.one_large_subtitle(tmp_path / "v.mkv", text)
    _, seconds, _ = run(read_subtitle_stream, video, None, within=limits.SUBTITLES)
    assert seconds < 2


def test_of_many_compressed_subtitles_no_more_is_read_than_fits(tmp_path: Path) -> None:
    video = hostile.many_subtitles(tmp_path / "v.mkv", 40_000, "x " * 100_000)
    track, seconds, memory = run(read_subtitle_stream, video, None, within=limits.SUBTITLES)
    assert 80 < len(track.segments) < 84
    assert seconds < 4 and memory < 200


def test_many_ordinary_subtitles_are_all_read(tmp_path: Path) -> None:
    video = hostile.many_subtitles(tmp_path / "v.mkv", 20_000, "Click on the button, then wait.")
    track, seconds, memory = run(read_subtitle_stream, video, None, within=limits.SUBTITLES)
    assert len(track.segments) == 20_000
    assert seconds < limits.SUBTITLES.cpu_seconds / 2 and memory < 300


def test_subtitles_are_not_unpacked_for_a_picture(tmp_path: Path) -> None:
    """Nor while the place of the picture is searched."""
    video = hostile.many_subtitles(tmp_path / "v.mkv", 10_000, "x " * 1_000_000)
    frame, seconds, _ = run(
        grab_encoded, video, 1, strategy="precise", image_format="png", within=limits.FRAME
    )
    assert frame.width == 64
    assert seconds < 3


def test_a_header_that_unpacks_to_two_gigabytes_is_refused(tmp_path: Path) -> None:
    video = hostile.compressed_header(tmp_path / "v.mov", 2047 * 2**20)
    assert zlib.decompress(hostile.packed_zeros(3 * 2**20)) == bytes(3 * 2**20)
    code, seconds = ended(probe_video, video, within=limits.PROBE)
    assert code == "OUT_OF_MEMORY"
    assert seconds < 2


def test_an_index_of_twenty_million_samples_is_read_within_the_limits(tmp_path: Path) -> None:
    video = hostile.claimed_samples(tmp_path / "v.mp4", 20_000_000)
    assert video.stat().st_size < 3000
    _, seconds, memory = run(probe_video, video, within=limits.PROBE)
    assert seconds < 5 and memory < 1024


def test_an_index_of_a_hundred_million_samples_is_refused(tmp_path: Path) -> None:
    video = hostile.claimed_samples(tmp_path / "v.mp4", 100_000_000)
    code, seconds = ended(probe_video, video, within=limits.PROBE)
    assert code == "UNDECODABLE"  # FFmpeg goes on without the index that found no room
    assert seconds < 5


def test_an_index_of_a_day_of_pictures_is_read(tmp_path: Path) -> None:
    video = hostile.claimed_samples(tmp_path / "v.mp4", 24 * 60 * 60 * 30)
    found, seconds, memory = run(probe_video, video, within=limits.PROBE)
    assert found.width == 64
    assert seconds < limits.PROBE.cpu_seconds / 2 and memory < 512


def test_pictures_beyond_8k_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    video = hostile.huge_frames(tmp_path / "v.mp4", (8208, 4368), codec="libx264", count=1)
    code, seconds = ended(probe_video, video, within=limits.PROBE)
    assert code == "UNDECODABLE"
    assert seconds < 2


def test_sounds_of_more_channels_than_a_layout_has_are_refused(tmp_path: Path) -> None:
    video = hostile.many_channels(tmp_path / "v.mkv", 70)
    code, _ = ended(extract_audio, video, tmp_path / "s.flac", within=limits.SOUND)
    assert code == "UNDECODABLE"
    with pytest.raises(UnreadableSound):
        list(read_sound(video))


def test_an_hour_of_silence_between_two_sounds_costs_little(tmp_path: Path) -> None:
    video = hostile.sounds_far_apart(tmp_path / "v.mkv", hours=1)
    info, seconds, memory = run(extract_audio, video, tmp_path / "s.flac", within=limits.SOUND)
    assert info.duration_ms == 3_601_000
    assert seconds < 4 and memory < 300
    assert (tmp_path / "s.flac").stat().st_size < 2**20


def test_nobody_listens_to_silence_that_was_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    import faster_whisper.vad
    import numpy as np

    monkeypatch.setattr(faster_whisper.vad, "get_speech_timestamps", lambda *_: pytest.fail("listened"))
    assert voice.find_speech(np.zeros(16_000, dtype=np.float32)) == []


@pytest.mark.soak
def test_twenty_three_hours_between_two_sounds_are_within_the_limits(tmp_path: Path) -> None:
    video = hostile.sounds_far_apart(tmp_path / "v.mkv", hours=23)
    info, seconds, memory = run(
        extract_audio, video, tmp_path / "s.flac", within=limits.SOUND.lasting(82_801_000)
    )
    assert info.duration_ms == 82_801_000
    assert seconds < 60 and memory < 300
    assert (tmp_path / "s.flac").stat().st_size < 16 * 2**20


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_packets_of_a_byte_end_by_the_processor_time(tmp_path: Path) -> None:
    video = hostile.many_packets(tmp_path / "v.mkv", 1_500_000)
    for engine, args, most in (
        (probe_video, (), limits.PROBE),
        (extract_audio, (tmp_path / "s.flac",), limits.SOUND.lasting(187_500)),
    ):
        within = dataclasses.replace(most, cpu_seconds=4)  # a fast machine is done within the ordinary time
        begun = time.monotonic()
        code, seconds = ended(engine, video, *args, within=within)
        assert code == "MEDIA_TOO_COMPLEX"
        assert seconds < within.cpu_seconds + 3
        assert time.monotonic() - begun < within.wall_seconds + 5


def test_a_lack_of_memory_is_not_taken_for_a_damaged_file(tmp_path: Path) -> None:
    """FFmpeg's error for it is of the same kind as those for damaged packets, which are passed over."""
    video = hostile.one_picture(tmp_path / "v.mkv", (7680, 4320))
    tight = sandbox.Limits(memory_bytes=170 * 2**20, cpu_seconds=20, wall_seconds=30)
    assert ended(probe_video, video, within=tight)[0] == "OUT_OF_MEMORY"


def test_subtitles_that_are_no_video_leave_the_sound(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    path.write_bytes(b"\x1aE\xdf\xa3 broken")
    recogniser = EmbeddedSubtitles()
    found = sandbox.call(
        recogniser.transcribe,
        video=path,
        audio=path,
        language=None,
        limits=limits.SUBTITLES,
        raises=REFUSALS,
        on_progress=lambda share: None,
    )
    assert found is None
