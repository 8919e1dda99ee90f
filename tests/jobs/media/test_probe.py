"""Probing uploads: what is said of a video, and what is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from jobs.media import probe
from jobs.media.probe import UnreadableVideo, open_media, probe_video, shown_size, timeline_start
from tests.jobs.media.recordings import add_picture, bursts, write_picture, write_sound, write_video

pytestmark = pytest.mark.slow
KINDS = [
    ("mp4", "mp4", "mpeg4", "mpeg4", "aac"),
    ("mov", "mov", "mpeg4", "mpeg4", "pcm_s16le"),
    ("mkv", "matroska", "mpeg4", "mpeg4", "libopus"),
    ("webm", "webm", "libvpx", "vp8", "libopus"),
    ("avi", "avi", "mpeg4", "mpeg4", "mp3"),
    ("ts", "mpegts", "mpeg2video", "mpeg2video", "mp2"),
    ("mpg", "vob", "mpeg2video", "mpeg2video", "mp2"),
    ("flv", "flv", "flv", "flv", "aac"),
    ("ogv", "ogg", "libvpx", "vp8", "libopus"),
    ("wmv", "asf", "wmv2", "wmv2", "mp3"),
]


@pytest.mark.parametrize(("suffix", "format", "encoder", "codec", "sound_codec"), KINDS)
def test_every_kind_of_container_is_probed(
    tmp_path: Path, suffix: str, format: str, encoder: str, codec: str, sound_codec: str
) -> None:
    path = write_video(
        tmp_path / f"v.{suffix}",
        format=format,
        codec=encoder,
        seconds=3,
        sound=bursts(3),
        sound_codec=sound_codec,
    )
    found = probe_video(path)
    assert (found.width, found.height, found.has_audio, found.has_subtitles) == (64, 48, True, False)
    assert found.frame_rate == pytest.approx(10, abs=0.5)
    # Codecs add up to a frame of their own at the end.
    assert 2900 <= found.duration_ms <= 3150
    assert found.video_codec == codec


def test_a_video_without_sound_has_none(tmp_path: Path) -> None:
    assert not probe_video(write_video(tmp_path / "v.mp4")).has_audio


def png(folder: Path) -> bytes:
    return picture("PNG")


def jpeg(folder: Path) -> bytes:
    return picture("JPEG")


def avif(folder: Path) -> bytes:
    return picture("AVIF")


def picture(format: str) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(target, format)
    return target.getvalue()


def archive(folder: Path) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr("a.txt", "a" * 5000)
    return target.getvalue()


def text(folder: Path) -> bytes:
    return b"Click the button.\n" * 500


def pdf(folder: Path) -> bytes:
    return b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n" + b"% filler\n" * 500


def noise(folder: Path) -> bytes:
    return np.random.default_rng(1).bytes(50_000)


def mp3_with_cover(folder: Path) -> bytes:
    return sound_with_cover(folder / "s.mp3", "mp3").read_bytes()


def sound_with_cover(path: Path, codec: str) -> Path:
    with av.open(path, "w") as container:
        voice = container.add_stream(codec, rate=48_000, layout="mono")
        cover = container.add_stream("mjpeg")
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        packet = av.Packet(picture("JPEG"))
        packet.stream, packet.pts, packet.dts = cover, 0, 0
        container.start_encoding()
        container.mux(packet)
        write_sound(container, voice, bursts(1))
        container.mux(voice.encode(None))
    return path


@pytest.mark.parametrize("make", [png, jpeg, avif, archive, text, pdf, noise, mp3_with_cover])
def test_what_is_no_video_is_refused_by_its_bytes(tmp_path: Path, make: Callable[[Path], bytes]) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(make(tmp_path))
    with pytest.raises(UnreadableVideo) as refused:
        probe_video(path)
    assert refused.value.code == "NOT_A_VIDEO"


def test_an_empty_file_is_named_so(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    path.touch()
    with pytest.raises(UnreadableVideo) as refused:
        probe_video(path)
    assert refused.value.code == "EMPTY_FILE"


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        probe_video(tmp_path / "v.mp4")


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "v.ogg"
    with av.open(path, "w") as container:
        voice = container.add_stream("libopus", rate=48_000, layout="mono")
        write_sound(container, voice, bursts(1))
        container.mux(voice.encode(None))
    with pytest.raises(UnreadableVideo) as refused:
        probe_video(path)
    assert refused.value.code == "NO_VIDEO_STREAM"


def test_sound_with_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(UnreadableVideo) as refused:
        probe_video(sound_with_cover(tmp_path / "s.mp4", "aac"))
    assert refused.value.code == "NO_VIDEO_STREAM"


@pytest.mark.parametrize(
    ("suffix", "format", "codec"),
    [("mp4", "mp4", "mpeg4"), ("mkv", "matroska", "mpeg4"), ("avi", "avi", "mpeg4")],
)
def test_a_file_cut_short_before_its_first_picture_is_damaged(
    tmp_path: Path, suffix: str, format: str, codec: str
) -> None:
    path = write_video(tmp_path / f"v.{suffix}", format=format, codec=codec)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UnreadableVideo) as refused:
        probe_video(path)
    assert refused.value.code == "UNDECODABLE"


def test_an_mp4_cut_short_before_its_index_is_damaged(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UnreadableVideo) as refused:
        probe_video(path)
    assert refused.value.code == "UNDECODABLE"


def test_pictures_of_noise_are_damaged(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", options={"movflags": "faststart"})
    content = bytearray(path.read_bytes())
    begin = content.index(b"mdat") + 4
    content[begin:] = bytes(len(content) - begin)
    path.write_bytes(content)
    with pytest.raises(UnreadableVideo) as refused:
        probe_video(path)
    assert refused.value.code == "UNDECODABLE"


def test_pictures_over_the_limit_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "v.mp4")
    monkeypatch.setattr(probe, "MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(UnreadableVideo) as refused:
        probe_video(path)
    assert refused.value.code == "UNDECODABLE"


def test_pictures_over_the_limit_are_not_decoded_on_opening_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg looks into the first pictures on its own, to learn what the header does not say."""
    path = tmp_path / "v.avi"
    with av.open(path, "w") as container:
        stream = container.add_stream("mjpeg")
        stream.width, stream.height, stream.pix_fmt = 8, 8, "yuvj420p"
        packet = av.Packet(picture("JPEG"))
        packet.stream, packet.pts, packet.dts = stream, 0, 0
        container.start_encoding()
        container.mux(packet)
    with open_media(path) as container:
        assert container.streams.video[0].width == 64, "the test shows nothing"
    monkeypatch.setattr(probe, "MAX_PIXELS", 64 * 48 - 1)
    with open_media(path) as container:
        assert container.streams.video[0].width == 0


def test_an_mp4_that_lost_its_end_is_as_long_as_what_is_left(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", seconds=60, options={"movflags": "faststart"})
    assert probe_video(path).duration_ms == 60_000
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert 10_000 < probe_video(path).duration_ms < 50_000


def test_a_recording_without_a_length_in_its_header_is_measured(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.webm", codec="libvpx", seconds=30, options={"live": "1"})
    with open_media(path) as container:
        assert not container.duration, "the header names a length: the test shows nothing"
    assert probe_video(path).duration_ms == pytest.approx(30_000, abs=100)


@pytest.mark.parametrize(
    ("suffix", "format", "codec"), [("ts", "mpegts", "mpeg2video"), ("mkv", "matroska", "mpeg4")]
)
def test_length_and_clock_start_at_the_first_picture(
    tmp_path: Path, suffix: str, format: str, codec: str
) -> None:
    path = write_video(tmp_path / f"v.{suffix}", format=format, codec=codec, seconds=3, start=100)
    with open_media(path) as container:
        assert timeline_start(container) >= 100
    assert probe_video(path).duration_ms == pytest.approx(3000, abs=110)


@pytest.mark.parametrize(
    ("degrees", "size"), [(90, (48, 64)), (180, (64, 48)), (270, (48, 64)), (0, (64, 48))]
)
def test_a_rotated_video_has_the_size_it_is_shown_in(
    tmp_path: Path, degrees: int, size: tuple[int, int]
) -> None:
    path = tmp_path / "v.mp4"
    with av.open(path, "w") as container:
        stream = add_picture(container)
        stream.set_display_rotation(degrees)
        write_picture(container, stream, seconds=1)
    found = probe_video(path)
    assert (found.width, found.height) == size


def test_pixels_that_are_not_square_are_widened(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    with av.open(path, "w") as container:
        stream = add_picture(container)
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        write_picture(container, stream, seconds=1)
    found = probe_video(path)
    assert (found.width, found.height) == (85, 48)


@pytest.mark.parametrize(
    ("aspect", "rotation", "size"),
    [
        (None, 0, (720, 576)),
        (Fraction(0), 0, (720, 576)),
        (Fraction(16, 11), 0, (1047, 576)),
        (Fraction(1, 2), 0, (720, 1152)),
        (Fraction(16, 11), -90, (576, 1047)),
        (None, 180, (720, 576)),
    ],
)
def test_the_size_shown_follows_aspect_then_rotation(
    aspect: Fraction | None, rotation: int, size: tuple[int, int]
) -> None:
    assert shown_size(720, 576, sample_aspect=aspect, rotation=rotation) == size


def test_names_in_the_file_that_are_no_text_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    with av.open(path, "w") as container:
        container.metadata["title"] = "THETITLE"
        write_picture(container, add_picture(container), seconds=1)
    path.write_bytes(path.read_bytes().replace(b"THETITLE", b"\xff\xfe\xc0\x80\xff\xfe\xc0\x80"))
    assert probe_video(path).duration_ms == 1000
