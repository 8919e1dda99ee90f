"""Sound taken out of videos: in step with the picture, whole or not at all."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.media import audio
from jobs.media.audio import (
    SAMPLE_RATE,
    NoAudio,
    UnreadableSound,
    compress_sound,
    extract_audio,
    read_sound,
    sound_duration_ms,
)
from jobs.media.probe import UnreadableVideo
from tests.jobs.media.recordings import (
    SOUND_RATE,
    add_picture,
    bursts,
    write_picture,
    write_sound,
    write_video,
)

pytestmark = pytest.mark.slow


def heard(sound: Path) -> list[float]:
    """Seconds at which tones begin."""
    loud = np.abs(np.concatenate(list(read_sound(sound)))) > 0.15
    # A tone swings through zero: loud is what was loud within the last 10 ms.
    near = np.convolve(loud, np.ones(160), mode="full")[: len(loud)] > 0
    begins = np.flatnonzero(near & ~np.concatenate([[False], near[:-1]]))
    return [float(begin / SAMPLE_RATE) for begin in begins]


def samples(sound: Path) -> NDArray[np.float32]:
    return np.concatenate(list(read_sound(sound)))


KINDS = [
    ("mp4", "mp4", "mpeg4", "aac"),
    ("mov", "mov", "mpeg4", "pcm_s16le"),
    ("mkv", "matroska", "mpeg4", "libopus"),
    ("webm", "webm", "libvpx", "libopus"),
    ("ts", "mpegts", "mpeg2video", "mp2"),
    ("mpg", "vob", "mpeg2video", "mp2"),
]
# These containers cannot say that their sound starts late.
KINDS_IN_STEP = [("avi", "avi", "mpeg4", "pcm_s16le"), ("flv", "flv", "flv", "aac")]


@pytest.mark.parametrize(
    ("suffix", "format", "codec", "sound_codec", "late"),
    [*((*kind, 0.0) for kind in KINDS + KINDS_IN_STEP), *((*kind, 1.3) for kind in KINDS)],
)
def test_a_time_in_the_sound_is_the_time_in_the_video(
    tmp_path: Path, suffix: str, format: str, codec: str, sound_codec: str, late: float
) -> None:
    video = write_video(
        tmp_path / f"v.{suffix}",
        format=format,
        codec=codec,
        seconds=5,
        sound=bursts(3.5, 0.5, 2.0),
        sound_codec=sound_codec,
        sound_start=late,
    )
    target = tmp_path / "s.flac"
    info = extract_audio(video, target)
    # Encoders add up to 50 ms of their own in front where the container cannot say so.
    assert heard(target) == pytest.approx([0.5 + late, 2.0 + late], abs=0.06)
    assert (info.sample_rate, info.channels) == (16_000, 1)
    assert info.duration_ms == pytest.approx(3500 + late * 1000, abs=80)
    assert sound_duration_ms(target) == info.duration_ms


def test_the_file_is_flac_of_16_kilohertz_mono(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", sound=bursts(2, 1))
    extract_audio(video, tmp_path / "s.flac")
    with av.open(tmp_path / "s.flac") as container:
        stream = container.streams.audio[0]
        found = (
            container.format.name,
            stream.codec_context.name,
            stream.rate,
            stream.format.name,
            stream.channels,
        )
    assert found == ("flac", "flac", 16_000, "s16", 1)


def test_the_clock_of_a_recording_that_starts_late_is_set_to_zero(tmp_path: Path) -> None:
    video = write_video(
        tmp_path / "v.ts",
        format="mpegts",
        codec="mpeg2video",
        sound=bursts(2, 1),
        sound_codec="mp2",
        start=5000,
    )
    extract_audio(video, tmp_path / "s.flac")
    assert heard(tmp_path / "s.flac") == pytest.approx([1.0], abs=0.06)


def test_a_gap_in_the_sound_is_filled_with_silence(tmp_path: Path) -> None:
    with av.open(tmp_path / "v.mkv", "w") as container:
        picture = add_picture(container)
        voice = container.add_stream("pcm_s16le", rate=SOUND_RATE, layout="mono")
        write_picture(container, picture, seconds=8)
        write_sound(container, voice, bursts(1, 0.5))
        write_sound(container, voice, bursts(1, 0.5), start=6)
        container.mux(voice.encode(None))
    info = extract_audio(tmp_path / "v.mkv", tmp_path / "s.flac")
    assert heard(tmp_path / "s.flac") == pytest.approx([0.5, 6.5], abs=0.01)
    assert info.duration_ms == 7000


def test_a_broken_time_stamp_does_not_become_hours_of_silence(tmp_path: Path) -> None:
    with av.open(tmp_path / "v.mkv", "w") as container:
        picture = add_picture(container)
        voice = container.add_stream("pcm_s16le", rate=SOUND_RATE, layout="mono")
        write_picture(container, picture, seconds=4)
        write_sound(container, voice, bursts(1, 0.5))
        write_sound(container, voice, bursts(1, 0.5), start=40_000)
        container.mux(voice.encode(None))
    content = (tmp_path / "v.mkv").read_bytes()
    (length,) = struct.unpack_from(
        ">d", content, content.index(b"\x44\x89\x88") + 3
    )  # Duration, in milliseconds
    assert length == 40_001_000
    (tmp_path / "v.mkv").write_bytes(content.replace(struct.pack(">d", length), struct.pack(">d", 4000.0)))
    info = extract_audio(tmp_path / "v.mkv", tmp_path / "s.flac")
    assert heard(tmp_path / "s.flac") == pytest.approx([0.5, 1.5], abs=0.01)
    assert info.duration_ms == 2000


def test_sound_that_overlaps_is_cut(tmp_path: Path) -> None:
    with av.open(tmp_path / "v.mkv", "w") as container:
        picture = add_picture(container)
        voice = container.add_stream("pcm_s16le", rate=SOUND_RATE, layout="mono")
        write_picture(container, picture, seconds=4)
        for start in (0.0, 2.0):
            for begin in range(3):  # 3 seconds from 0, then 3 from 2: the second from 2 to 3 is there twice
                sound = bursts(1, 0.5) if start == 0 or begin else bursts(1)
                frame = av.AudioFrame.from_ndarray(sound[np.newaxis, :], "s16", "mono")
                frame.sample_rate = SOUND_RATE
                packet = voice.encode(frame)[0]
                packet.pts = packet.dts = round((start + begin) / packet.time_base)
                container.mux(packet)
    info = extract_audio(tmp_path / "v.mkv", tmp_path / "s.flac")
    assert heard(tmp_path / "s.flac") == pytest.approx([0.5, 1.5, 2.5, 3.5, 4.5], abs=0.01)
    assert info.duration_ms == 5000


def test_a_change_of_the_sample_rate_on_the_way_changes_nothing(tmp_path: Path) -> None:
    parts = []
    for start, rate in ((1, 48_000), (3, 44_100)):
        part = tmp_path / f"{start}.ts"
        with av.open(part, "w", format="mpegts") as container:
            picture = add_picture(container, codec="mpeg2video")
            voice = container.add_stream("mp2", rate=rate, layout="mono")
            write_picture(container, picture, seconds=2, start=start)
            write_sound(container, voice, bursts(2, 0.5, rate=rate), start=start, rate=rate)
            container.mux(voice.encode(None))
        parts.append(part.read_bytes())
    (tmp_path / "v.ts").write_bytes(b"".join(parts))
    extract_audio(tmp_path / "v.ts", tmp_path / "s.flac")
    assert heard(tmp_path / "s.flac") == pytest.approx([0.5, 2.5], abs=0.06)


def replace_sound_packets(source: Path, target: Path, damaged: range) -> None:
    """Copy a video; the payload of the sound packets numbered `damaged` becomes noise."""
    rng = np.random.default_rng(7)
    with av.open(source) as old, av.open(target, "w") as new:
        streams = {stream.index: new.add_stream_from_template(stream) for stream in old.streams}
        number = 0
        for packet in old.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "audio":
                if number in damaged:
                    broken = av.Packet(rng.bytes(packet.size))
                    broken.pts, broken.dts, broken.time_base = packet.pts, packet.dts, packet.time_base
                    broken.stream, packet = packet.stream, broken
                number += 1
            packet.stream = streams[packet.stream.index]
            new.mux(packet)


def test_damaged_packets_cost_only_their_own_sound(tmp_path: Path) -> None:
    write_video(tmp_path / "whole.mkv", seconds=6, sound=bursts(6, 0.5, 3.0, 5.0), sound_codec="mp3")
    replace_sound_packets(tmp_path / "whole.mkv", tmp_path / "v.mkv", range(60, 100))  # 1.4 s to 2.4 s
    info = extract_audio(tmp_path / "v.mkv", tmp_path / "s.flac")
    found = heard(tmp_path / "s.flac")
    assert [at for at in found if not 1.3 < at < 2.6] == pytest.approx([0.5, 3.0, 5.0], abs=0.06)
    assert info.duration_ms == pytest.approx(6000, abs=80)


def test_a_video_without_sound_has_no_audio(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4")
    with pytest.raises(NoAudio):
        extract_audio(video, tmp_path / "s.flac")
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]


def test_sound_that_does_not_decode_is_no_audio(tmp_path: Path) -> None:
    write_video(tmp_path / "whole.mkv", sound=bursts(2, 1), sound_codec="flac")
    replace_sound_packets(tmp_path / "whole.mkv", tmp_path / "v.mkv", range(10_000))
    with pytest.raises(NoAudio):
        extract_audio(tmp_path / "v.mkv", tmp_path / "s.flac")
    assert not (tmp_path / "s.flac").exists()


def test_a_track_that_does_not_decode_gives_way_to_one_that_does(tmp_path: Path) -> None:
    with av.open(tmp_path / "two.mkv", "w") as container:
        picture = add_picture(container)
        voices = [container.add_stream("flac", rate=SOUND_RATE, layout="mono") for _ in range(2)]
        write_picture(container, picture, seconds=2)
        for voice, at in zip(voices, (0.5, 1.0), strict=True):
            write_sound(container, voice, bursts(2, at))
            container.mux(voice.encode(None))
    with av.open(tmp_path / "two.mkv") as old, av.open(tmp_path / "v.mkv", "w") as new:
        streams = [new.add_stream_from_template(stream) for stream in old.streams]
        for packet in old.demux():
            if packet.dts is None:
                continue
            index = packet.stream.index
            if index == 1:
                broken = av.Packet(bytes(packet.size))
                broken.pts, broken.dts, broken.time_base = packet.pts, packet.dts, packet.time_base
                packet = broken
            packet.stream = streams[index]
            new.mux(packet)
    extract_audio(tmp_path / "v.mkv", tmp_path / "s.flac")
    assert heard(tmp_path / "s.flac") == pytest.approx([1.0], abs=0.01)


def test_what_is_no_video_has_no_audio_either(tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_bytes(b"no video" * 100)
    with pytest.raises(UnreadableVideo):
        extract_audio(tmp_path / "v.mp4", tmp_path / "s.flac")


class Cancelled(Exception):
    pass


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_cancelling_leaves_nothing_new_behind(tmp_path: Path, share: float) -> None:
    def cancel(done: float) -> None:
        if done >= share:
            raise Cancelled

    video = write_video(tmp_path / "v.mp4", sound=bursts(2, 1))
    (tmp_path / "s.flac").write_bytes(b"from before")
    with pytest.raises(Cancelled):
        extract_audio(video, tmp_path / "s.flac", on_progress=cancel)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.flac", "v.mp4"]
    assert (tmp_path / "s.flac").read_bytes() == b"from before"


def test_progress_rises_to_one_at_most_ten_times_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(audio, "time", SimpleNamespace(monotonic=lambda: next(ticks) * 0.004))
    video = write_video(tmp_path / "v.mp4", seconds=20, sound=bursts(20))
    shares: list[float] = []
    extract_audio(video, tmp_path / "s.flac", on_progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    # Each report looks at the clock once: 0.1 s are 25 of them, and a frame of AAC is 1024 samples.
    assert 20 * SOUND_RATE / 1024 / 25 <= len(shares) <= 20 * SOUND_RATE / 1024 / 25 + 3


@pytest.mark.parametrize("content", [b"", b"no sound" * 100])
def test_what_is_no_sound_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.flac").write_bytes(content)
    with pytest.raises(UnreadableSound):
        list(read_sound(tmp_path / "s.flac"))


def test_a_compressed_sound_is_small_and_in_step(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", seconds=10, sound=bursts(10, 1.0, 8.0))
    extract_audio(video, tmp_path / "s.flac")
    shares: list[float] = []
    compress_sound(tmp_path / "s.flac", tmp_path / "s.ogg", on_progress=shares.append)
    assert heard(tmp_path / "s.ogg") == pytest.approx([1.0, 8.0], abs=0.06)
    assert len(samples(tmp_path / "s.ogg")) == pytest.approx(10 * SAMPLE_RATE, rel=0.01)
    assert (tmp_path / "s.ogg").stat().st_size < 40_000
    assert shares[-1] == 1.0
