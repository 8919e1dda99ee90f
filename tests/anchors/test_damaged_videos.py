"""Damaged, empty, huge and lying videos, read in a child as the service does: a frame, or a clear refusal."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from anchors.frames import EncodedFrame, Strategy, TimestampOutOfRange, encode_image, grab_encoded
from config import sandbox
from config.sandbox.pool import pool
from jobs.media.probe import UnreadableVideo
from tests.anchors.videos import write_video

pytestmark = pytest.mark.slow

WITHIN = sandbox.Limits(memory_bytes=2 * 2**30, cpu_seconds=20, wall_seconds=30)
FRAME, REFUSED, EITHER = "a frame", "a refusal", "either"
HOURS_MS = 12 * 3_600_000
SEEDS: dict[str, dict[str, Any]] = {
    "mp4": {"sound_ms": (0, 3000)},
    "front.mp4": {"muxer": {"movflags": "faststart"}},
    "fragments.mp4": {"muxer": {"movflags": "frag_keyframe+empty_moov+default_base_moof"}},
    "mkv": {"sound_ms": (0, 3000)},
    "webm": {"codec": "libvpx-vp9", "options": {"cpu-used": "8"}},
    "ts": {},
    "avi": {"codec": "mpeg4", "ticks": Fraction(1, 10), "options": {"bf": "0"}},
}
Damage = Callable[[bytearray], object]


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("seeds")
    return {
        name: write_video(folder / f"v.{name}", pts=range(0, 3000, 100), **options).read_bytes()
        for name, options in SEEDS.items()
    }


@pytest.fixture(autouse=True, scope="module")
def children_of_their_own() -> Iterator[None]:
    pool().clear()
    yield
    pool().clear()


def grab(path: Path, at_ms: int, strategy: Strategy) -> str:
    """Return what became of it; whatever else is raised, by the engine or by a limit, is let through."""
    try:
        frame = sandbox.call(
            grab_encoded,
            path,
            at_ms,
            strategy=strategy,
            image_format="png",
            limits=WITHIN,
            returns=(EncodedFrame,),
            raises=(TimestampOutOfRange, UnreadableVideo),
        )
    except (TimestampOutOfRange, UnreadableVideo) as error:
        assert str(error)
        return REFUSED
    assert frame.content.startswith(b"\x89PNG") and frame.width * frame.height > 0
    assert frame.shown_until_ms is None or 0 <= frame.shown_at_ms <= frame.shown_until_ms
    return FRAME


def check(path: Path, expected: str = EITHER) -> None:
    found = {
        grab(path, at_ms, strategy) for at_ms in (0, 1250) for strategy in ("precise", "nearest_keyframe")
    }
    assert expected == EITHER or found == {expected}


def put(box: bytes, offset: int, number: int, count: int = 1) -> Damage:
    """Write a number of 32 bits at an offset from a box's name (ISO/IEC 14496-12), in its first `count` places."""

    def damage(content: bytearray) -> None:
        at = -1
        for _ in range(count):
            at = content.index(box, at + 1)
            struct.pack_into(">I", content, at + offset, number & 0xFFFFFFFF)

    return damage


def replace(old: bytes, new: bytes) -> Damage:
    def damage(content: bytearray) -> None:
        at = content.index(old)
        content[at : at + len(old)] = new

    return damage


LIES: dict[str, tuple[str, Damage, str]] = {
    "no length in the header": ("mp4", put(b"mvhd", 20, 0), FRAME),
    "a length of years": ("mp4", put(b"mvhd", 20, -2), FRAME),
    "a negative length": ("mp4", put(b"mdhd", 20, -5000, 2), FRAME),
    "a clock that stands still": ("mp4", put(b"mvhd", 16, 0), EITHER),
    "a stream's clock that stands still": ("mp4", put(b"mdhd", 16, 0), EITHER),
    "a clock of 4 GHz": ("mp4", put(b"mdhd", 16, -1), EITHER),
    "a negative time from frame to frame": ("mp4", put(b"stts", 16, -100), EITHER),
    "a time of days from frame to frame": ("mp4", put(b"stts", 16, 2**31 - 1), EITHER),
    "times that are before the start": ("mp4", put(b"ctts", 16, -(2**31)), EITHER),
    "more frames than there are": ("mp4", put(b"stts", 12, 2**31 - 1), EITHER),
    "no frames": ("mp4", put(b"stsz", 12, 0), EITHER),
    "two billion frames": ("mp4", put(b"stsz", 12, 2**31 - 1), EITHER),
    "a frame of 4 GB": ("mp4", put(b"stsz", 16, -1), EITHER),
    "frames beyond the end": ("mp4", put(b"stco", 12, 2**31 - 1, 2), EITHER),
    "an edit list that starts late": ("mp4", put(b"elst", 16, 2**31 - 1), EITHER),
    "an edit list that starts before 0": ("mp4", put(b"elst", 16, -7), EITHER),
    "an edit list of nothing": ("mp4", put(b"elst", 12, 0), EITHER),
    "a size of nothing": ("mp4", put(b"avc1", 28, 0), EITHER),
    "a size of 65535 by 65535": ("mp4", put(b"avc1", 28, -1), EITHER),
    "a box larger than the file": ("mp4", put(b"moov", -4, 2**31 - 1), EITHER),
    "a box smaller than its head": ("mp4", put(b"trak", -4, 3), EITHER),
    "boxes in boxes without end": ("mp4", put(b"mdia", -4, -1), EITHER),
    "another codec than it says": ("mp4", replace(b"avc1", b"hvc1"), EITHER),
    "pictures that are said to be sound": ("mp4", replace(b"vide", b"soun"), EITHER),
    "a codec that nobody knows": ("mkv", replace(b"V_MPEG4/ISO/AVC", b"V_UNKNOWN/CODEC"), REFUSED),
    "a clock without ticks": (
        "mkv",
        replace(b"\x2a\xd7\xb1\x83\x0f\x42\x40", b"\x2a\xd7\xb1\x83\0\0\0"),
        EITHER,
    ),
    "a length that is no number": (
        "mkv",
        replace(b"\x44\x89\x88", b"\x44\x89\x88\x7f\xf8\0\0\0\0\0\1"),
        EITHER,
    ),
    "a negative length in Matroska": ("mkv", replace(b"\x44\x89\x88\x40", b"\x44\x89\x88\xc0"), FRAME),
    "pictures without a width": ("webm", replace(b"\xb0\x81\x80", b"\xb0\x81\0"), REFUSED),
    "a segment of unknown size": ("mkv", replace(b"\x18\x53\x80\x67\x01", b"\x18\x53\x80\x67\xff"), EITHER),
    "an index of frames elsewhere": ("avi", replace(b"idx1", b"idx9"), FRAME),
    "streams by the thousand": ("avi", replace(b"avih8\0\0\0", b"avih\xff\xff\xff\x7f"), EITHER),
}


@pytest.mark.parametrize("name", LIES)
def test_a_video_that_lies_about_itself_is_read_or_refused(
    name: str, seeds: dict[str, bytes], tmp_path: Path
) -> None:
    kind, damage, expected = LIES[name]
    content = bytearray(seeds[kind])
    damage(content)
    assert content != seeds[kind]
    path = tmp_path / f"v.{kind}"
    path.write_bytes(content)
    check(path, expected)


@pytest.mark.parametrize("share", [0.01, 0.2, 0.6, 0.95])
@pytest.mark.parametrize("kind", SEEDS)
def test_a_video_that_is_cut_short_is_read_or_refused(
    kind: str, share: float, seeds: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / f"v.{kind}"
    path.write_bytes(seeds[kind][: int(len(seeds[kind]) * share)])
    check(path, REFUSED if kind == "mp4" else EITHER)  # of which the index stands at the end


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", SEEDS)
def test_a_video_with_changed_bits_is_read_or_refused(
    kind: str, seed: int, seeds: dict[str, bytes], tmp_path: Path
) -> None:
    chosen = random.Random(f"{kind} {seed}")
    content = bytearray(seeds[kind])
    for _ in range(chosen.choice([1, 10, 100, 1000])):
        content[chosen.randrange(len(content))] ^= 1 << chosen.randrange(8)
    path = tmp_path / f"v.{kind}"
    path.write_bytes(content)
    check(path)


def only_sound(path: Path, *, cover: bool = False) -> Path:
    with av.open(path, "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=48000)
        picture = container.add_stream("mjpeg", rate=1) if cover else None
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.rate = 48000
        if picture is not None:
            picture.width, picture.height, picture.pix_fmt = 64, 64, "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
            frame = av.VideoFrame(64, 64, "yuvj420p")
            frame.pts, frame.time_base = 0, Fraction(1, 1)
            container.mux(picture.encode(frame))
            container.mux(picture.encode(None))
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    return path


OTHERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.mp4": (lambda path: path.touch(), REFUSED),
    "zeros.mp4": (lambda path: path.write_bytes(bytes(100_000)), REFUSED),
    "text.mp4": (lambda path: path.write_text("a letter\n" * 5000), REFUSED),
    "page.webm": (lambda path: path.write_text("<html><video src=v.mp4></video></html>"), REFUSED),
    "picture.mp4": (lambda path: path.write_bytes(encode_image(Image.new("RGB", (64, 64)), "png")), REFUSED),
    "archive.mkv": (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(5000)), REFUSED),
    "noise.ts": (lambda path: path.write_bytes(np.random.default_rng(1).bytes(100_000)), REFUSED),
    "head.mkv": (lambda path: path.write_bytes(b"\x1aE\xdf\xa3" * 1000), REFUSED),
    "sync.ts": (lambda path: path.write_bytes((b"\x47" + bytes(187)) * 500), REFUSED),
    "sound.m4a": (only_sound, REFUSED),
    "cover.m4a": (lambda path: only_sound(path, cover=True), REFUSED),
    "late.mp4": (lambda path: write_video(path, pts=range(HOURS_MS, HOURS_MS + 3000, 100)), FRAME),
    "late.mkv": (lambda path: write_video(path, pts=range(HOURS_MS, HOURS_MS + 3000, 100)), FRAME),
    "gap.mp4": (lambda path: write_video(path, pts=[0, 100, 200, HOURS_MS, HOURS_MS + 100]), FRAME),
    "gap.mkv": (lambda path: write_video(path, pts=[0, 100, 200, HOURS_MS, HOURS_MS + 100]), FRAME),
    "one.mp4": (lambda path: write_video(path, pts=[0]), EITHER),
    "backwards.mkv": (lambda path: write_video(path, pts=range(-5000, 3000, 100)), FRAME),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_ordinary_video_is_read_or_refused(name: str, tmp_path: Path) -> None:
    make, expected = OTHERS[name]
    make(tmp_path / name)
    check(tmp_path / name, expected)


@pytest.mark.parametrize("name", ["v.txt", "v.png", "v", "v.mkv"])
def test_the_name_of_a_video_does_not_matter(name: str, seeds: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(seeds["mp4"])
    check(tmp_path / name, FRAME)
