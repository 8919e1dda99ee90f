"""Frames out of real small videos."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from anchors.frames import TimestampOutOfRange, encode_image, grab_frame, grab_frames
from jobs.media.probe import UnreadableVideo, probe_video
from tests.anchors.videos import HEIGHT, LONG_GOP, WIDTH, number_of, numbered, shown_times, write_video

pytestmark = pytest.mark.slow
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
UNEVEN = [
    0,
    40,
    50,
    700,
    1900,
    1910,
    1920,
    4000,
    4001,
    4040,
    5000,
    9000,
    9100,
    9101,
    9300,
    12000,
    12500,
    30000,
]
RECORDINGS: dict[str, dict[str, Any]] = {
    "bframes.mp4": {},
    "bframes.mkv": {},
    "bframes.ts": {},
    "open_gop.mp4": {"options": {"x264-params": "open-gop=1:keyint=10:min-keyint=10:bframes=3:scenecut=0"}},
    "one_gop.mp4": {"options": LONG_GOP},
    "one_gop.ts": {"options": LONG_GOP},
    "uneven.mp4": {"pts": UNEVEN},
    "uneven.mkv": {"pts": UNEVEN, "options": {"g": "5"}},
    "starts_late.mkv": {"pts": range(5000, 9000, 100)},
    "starts_late.mp4": {"pts": range(5000, 9000, 100)},
    "vp8.webm": {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "8", "b": "500k"}},
    "vp9_no_cues.webm": {"codec": "libvpx-vp9", "options": {"cpu-used": "8"}, "muxer": {"live": "1"}},
    "mpeg4.avi": {"codec": "mpeg4", "ticks": Fraction(1, 10), "options": {"bf": "0", "qscale": "2"}},
    "fragments.mp4": {
        "pts": range(0, 60000, 300),
        "muxer": {"movflags": "frag_keyframe+empty_moov+default_base_moof+skip_trailer"},
    },
    "long.ts": {"pts": range(0, 60000, 300), "options": {"g": "50"}},
}


@pytest.fixture(scope="module", params=RECORDINGS)
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("videos") / request.param, **RECORDINGS[request.param])


def moments(times: Sequence[Fraction]) -> list[int]:
    """Times worth asking for: around each change of the picture, and between."""
    around = {int(at) + step for at in times[:: max(1, len(times) // 12)] for step in (-1, 0, 1, 47)}
    return sorted(at for at in around | {0} if 0 <= at <= times[-1])


def test_precise_gives_the_last_frame_that_came_up(recording: Path) -> None:
    times = [at for at, _ in shown_times(recording)]
    for at_ms in moments(times):
        expected = max(i for i, at in enumerate(times) if at <= at_ms)
        frame = grab_frame(recording, at_ms)
        assert number_of(frame.image) == expected, at_ms
        assert 0 <= frame.shown_at_ms - times[expected] < 1
        assert frame.shown_at_ms <= at_ms


def test_many_at_once_are_the_same_as_one_by_one_in_the_order_asked(recording: Path) -> None:
    times = moments([at for at, _ in shown_times(recording)])
    asked = times[::-2] + times[::3] + times[:1]
    grabbed = [(number_of(frame.image), frame.shown_at_ms) for frame in grab_frames(recording, asked)]
    singles = {at: grab_frame(recording, at) for at in set(asked)}
    assert grabbed == [(number_of(singles[at].image), singles[at].shown_at_ms) for at in asked]


def test_nearest_keyframe_is_the_nearest_on_either_side(recording: Path) -> None:
    times = shown_times(recording)
    keys = [(at, i) for i, (at, is_key) in enumerate(times) if is_key]
    for at_ms in moments([at for at, _ in times]):
        _, expected = min((abs(at - at_ms), i) for at, i in keys)
        assert number_of(grab_frame(recording, at_ms, strategy="nearest_keyframe").image) == expected, at_ms


def test_the_time_that_a_frame_came_up_gives_that_frame_again(tmp_path: Path) -> None:
    video = write_video(tmp_path / "third.mp4", pts=[0, 34, 67, 100, 134, 167], ticks=Fraction(1, 30))
    with av.open(video) as container:
        assert container.streams.video[0].frames == 6
    for at_ms in range(0, 167):
        first = grab_frame(video, at_ms)
        assert number_of(first.image) == at_ms * 30 // 1000
        assert number_of(grab_frame(video, first.shown_at_ms).image) == number_of(first.image)


@pytest.mark.parametrize("strategy", ["precise", "nearest_keyframe"])
@pytest.mark.parametrize("name", ["plain.mp4", "plain.mkv", "plain.ts"])
def test_times_outside_the_video_are_refused_with_its_length(
    name: str, strategy: Any, tmp_path: Path
) -> None:
    video = write_video(tmp_path / name, pts=range(0, 2000, 100))
    length = probe_video(video).duration_ms
    assert 1890 <= length <= 2001
    grab_frame(video, length, strategy=strategy)
    for at_ms in (-1, length + 1, 10**9, 10**30):
        with pytest.raises(TimestampOutOfRange) as caught:
            grab_frame(video, at_ms, strategy=strategy)
        assert caught.value.duration_ms == length
        with pytest.raises(TimestampOutOfRange):
            grab_frames(video, [0, at_ms], strategy=strategy)


def test_the_last_picture_stays_as_long_as_there_is_sound(tmp_path: Path) -> None:
    video = write_video(tmp_path / "still.mp4", pts=range(0, 1000, 100), sound_ms=(0, 4000))
    assert number_of(grab_frame(video, 3900).image) == 9
    with pytest.raises(TimestampOutOfRange):
        grab_frame(video, 5000)


def test_sound_that_starts_first_sets_the_clock(tmp_path: Path) -> None:
    video = write_video(tmp_path / "late.mkv", pts=range(2000, 4000, 100), sound_ms=(0, 4000))
    assert [number_of(frame.image) for frame in grab_frames(video, [0, 1999, 2050, 2150])] == [0, 0, 0, 1]
    assert grab_frame(video, 0).shown_at_ms == pytest.approx(2000, abs=30)


@pytest.mark.parametrize(
    ("rotate", "corners"),
    [
        ({"degrees": 0}, (RED, GREEN, BLUE, WHITE)),
        ({"degrees": 90}, (GREEN, WHITE, RED, BLUE)),
        ({"degrees": 180}, (WHITE, BLUE, GREEN, RED)),
        ({"degrees": 270}, (BLUE, RED, WHITE, GREEN)),
        ({"degrees": 0, "hflip": True}, (GREEN, RED, WHITE, BLUE)),
        ({"degrees": 0, "vflip": True}, (BLUE, WHITE, RED, GREEN)),
        ({"degrees": 90, "hflip": True}, (WHITE, GREEN, BLUE, RED)),
        ({"degrees": 90, "vflip": True}, (RED, BLUE, GREEN, WHITE)),
        ({"degrees": 30}, (RED, GREEN, BLUE, WHITE)),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["turned.mp4", "turned.mkv"])
def test_pictures_come_upright(name: str, rotate: dict[str, Any], corners: Any, tmp_path: Path) -> None:
    flag = np.zeros((64, 128, 3), np.uint8)
    flag[:32, :64], flag[:32, 64:], flag[32:, :64], flag[32:, 64:] = RED, GREEN, BLUE, WHITE
    video = write_video(tmp_path / name, pts=[0, 100], pictures=[flag, flag], rotate=rotate)
    image = grab_frame(video, 50).image
    probe = probe_video(video)
    assert image.size == (probe.width, probe.height)
    places = [(0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8)]
    seen = [image.getpixel((int(x * image.width), int(y * image.height))) for x, y in places]
    assert np.abs(np.subtract(seen, corners)).max() < 40


@pytest.mark.parametrize(
    ("aspect", "degrees", "size"),
    [
        (Fraction(2, 1), 0, (256, 32)),
        (Fraction(1, 2), 0, (128, 64)),
        (Fraction(4, 3), 90, (32, 171)),
        (Fraction(1, 1), 0, (128, 32)),
    ],
)
def test_pixels_come_square(aspect: Fraction, degrees: int, size: tuple[int, int], tmp_path: Path) -> None:
    video = write_video(
        tmp_path / "wide.mp4", pts=[0, 100], sample_aspect=aspect, rotate={"degrees": degrees}
    )
    image = grab_frame(video, 0).image
    assert image.size == size and image.mode == "RGB"
    assert (probe_video(video).width, probe_video(video).height) == size


def playlist_files(folder: Path) -> dict[str, bytes]:
    target = write_video(folder / "secret.mp4", pts=[0, 100])
    return {
        "hls.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target.name}\n#EXT-X-ENDLIST\n".encode(),
        "concat.mp4": f"ffconcat version 1.0\nfile {target.name}\n".encode(),
        "sdp.mp4": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
        "text.mp4": b"a letter\n" * 100,
        "empty.mp4": b"",
        "noise.mp4": np.random.default_rng(1).bytes(5000),
        "picture.png": encode_image(Image.new("RGB", (64, 64)), "png"),
        "cut.mp4": target.read_bytes()[:200],
    }


@pytest.mark.parametrize("strategy", ["precise", "nearest_keyframe"])
@pytest.mark.parametrize(
    "name",
    ["hls.mp4", "concat.mp4", "sdp.mp4", "text.mp4", "empty.mp4", "noise.mp4", "picture.png", "cut.mp4"],
)
def test_what_is_no_video_is_refused(name: str, strategy: Any, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(playlist_files(tmp_path)[name])
    with pytest.raises(UnreadableVideo):
        grab_frame(path, 0, strategy=strategy)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.m4a"
    with av.open(path, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.rate = 48000
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    with pytest.raises(UnreadableVideo) as caught:
        grab_frame(path, 0)
    assert caught.value.code == "NO_VIDEO_STREAM"


def test_a_video_whose_pictures_are_all_broken_is_refused(tmp_path: Path) -> None:
    video = write_video(tmp_path / "broken.mp4", pts=range(0, 2000, 100))
    content = bytearray(video.read_bytes())
    start = content.index(b"mdat") + 4
    size = struct.unpack(">I", content[start - 8 : start - 4])[0]
    content[start : start - 8 + size] = b"\xff" * (size - 8)
    video.write_bytes(content)
    for strategy in ("precise", "nearest_keyframe"):
        with pytest.raises(UnreadableVideo):
            grab_frame(video, 500, strategy=strategy)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["damaged.mkv", "damaged.ts"])
def test_damage_in_the_middle_spares_what_comes_after(name: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(1)
    pictures = [
        numbered(i) // 2 + noise.integers(60, size=(HEIGHT, WIDTH, 3), dtype=np.uint8) for i in range(60)
    ]
    video = write_video(tmp_path / name, pictures=pictures)
    content = bytearray(video.read_bytes())
    middle = len(content) // 3
    content[middle : middle + 2000] = b"\x55" * 2000
    video.write_bytes(content)
    assert number_of(grab_frame(video, 0).image) == 0
    assert [number_of(frame.image) for frame in grab_frames(video, [100, 5050, 5500])] == [1, 50, 55]


def test_a_video_cut_short_has_the_length_of_what_is_there(tmp_path: Path) -> None:
    video = write_video(tmp_path / "cut.mkv")
    content = video.read_bytes()
    video.write_bytes(content[: len(content) // 2])
    length = probe_video(video).duration_ms
    assert 1000 < length < 5000
    assert number_of(grab_frame(video, 500).image) == 5
    with pytest.raises(TimestampOutOfRange):
        grab_frame(video, 5500)


def test_avi_with_frames_out_of_order_is_off_by_few_frames_at_most(tmp_path: Path) -> None:
    video = write_video(tmp_path / "order.avi", ticks=Fraction(1, 10), options={"bf": "3"})
    with av.open(video) as container:
        pts = [frame.pts for frame in container.decode(video=0)]
    assert pts != sorted(pts), "the file is not what this test is about"
    found = grab_frames(video, range(0, 6000, 100))
    numbers = [number_of(frame.image) for frame in found]
    assert numbers == sorted(numbers)
    assert all(abs(number - asked) <= 4 for asked, number in enumerate(numbers))
    again = grab_frames(video, [frame.shown_at_ms for frame in found])
    assert [number_of(frame.image) for frame in again] == numbers
