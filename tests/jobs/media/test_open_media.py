"""Opening uploads: no name and no playlist leads to another file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from jobs.media.probe import UnreadableVideo, probe_video
from tests.jobs.media.recordings import write_video

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "name",
    [
        "%d.mp4",
        "file:v.mp4",
        "concat:a|b.mp4",
        "-i.mp4",
        "ü ☃.mp4",
        "a?b#c.mp4",
        "pipe:0",
        "[x]{1,2}*.mp4",
        "a\nb",
    ],
)
def test_a_strange_name_is_only_a_name(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = write_video(tmp_path / "plain.mp4")
    monkeypatch.chdir(tmp_path)
    made.rename(tmp_path / name)
    assert probe_video(Path(name)).duration_ms == 2000


def test_a_name_that_is_not_utf_8_is_only_a_name(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.mp4"))
    write_video(tmp_path / "plain.mp4").rename(path)
    assert probe_video(path).duration_ms == 2000


def hls(folder: Path) -> str:
    write_video(folder / "secret.ts", format="mpegts", codec="mpeg2video")
    return "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsecret.ts\n#EXT-X-ENDLIST\n"


def ffconcat(folder: Path) -> str:
    write_video(folder / "secret.mp4")
    return "ffconcat version 1.0\nfile secret.mp4\n"


def sdp(folder: Path) -> str:
    return "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 32\n"


def dash(folder: Path) -> str:
    write_video(folder / "secret.mp4", options={"movflags": "frag_keyframe+empty_moov"})
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'profiles="urn:mpeg:dash:profile:isoff-main:2011" mediaPresentationDuration="PT2S"><Period>'
        '<AdaptationSet><Representation id="1" mimeType="video/mp4"><BaseURL>secret.mp4</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>"
    )


@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "ffconcat", "mpd", "sdp"])
@pytest.mark.parametrize("playlist", [hls, ffconcat, sdp, dash])
def test_a_playlist_is_refused_whatever_its_name(
    tmp_path: Path, playlist: Callable[[Path], str], suffix: str
) -> None:
    path = tmp_path / f"v.{suffix}"
    path.write_text(playlist(tmp_path))
    with pytest.raises(UnreadableVideo) as refused:
        probe_video(path)
    assert refused.value.code == "NOT_A_VIDEO"


def test_a_playlist_would_be_followed_without_the_lists(tmp_path: Path) -> None:
    """Else the test above would show nothing."""
    path = tmp_path / "v.m3u8"
    path.write_text(hls(tmp_path))
    with av.open(path) as container:
        assert container.streams.video
