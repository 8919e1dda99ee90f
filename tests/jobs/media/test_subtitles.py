"""Subtitles, written and read."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.stream import Disposition
from av.subtitles.subtitle import SubtitleSet
from hypothesis import given
from hypothesis import strategies as st

from jobs.media.speech.embedded_subtitles import EmbeddedSubtitles
from jobs.media.subtitles import read_subtitle_stream, to_srt, to_vtt
from jobs.media.transcripts import Segment
from tests.jobs.media.recordings import add_picture, write_picture, write_video

pytestmark = pytest.mark.slow
ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,16

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""

Cue = tuple[int, int, str]
CUES: list[Cue] = [(500, 2000, r"Open the {\b1}menu{\b0},\Nthen wait."), (2500, 3000, "Press Save.")]


def make_subtitled(
    path: Path,
    *tracks: tuple[str, str, list[Cue]],
    start: int = 0,
    dispositions: tuple[Disposition | None, ...] = (),
) -> Path:
    """A video of 4 seconds with tracks of (codec, language, cues); cues are (start ms, end ms, ASS text)."""
    with av.open(path, "w") as container:
        picture = add_picture(container)
        streams = []
        for number, (codec, language, _) in enumerate(tracks):
            stream = container.add_stream(codec)
            stream.codec_context.subtitle_header = ASS_HEADER
            stream.codec_context.time_base = Fraction(1, 1000)
            stream.metadata["language"] = language
            if number < len(dispositions) and dispositions[number]:
                stream.disposition = dispositions[number]
            streams.append(stream)
        write_picture(container, picture, seconds=4, start=start)
        for stream, (_, _, cues) in zip(streams, tracks, strict=True):
            for begin, end, text in cues:
                line = SubtitleSet.create(f"0,0,Default,,0,0,0,,{text}".encode(), 0, end - begin)
                packet = stream.codec_context.encode_subtitle(line)
                packet.stream, packet.time_base = stream, Fraction(1, 1000)
                packet.pts = packet.dts = begin + start * 1000
                packet.duration = end - begin
                container.mux(packet)
    return path


@pytest.mark.parametrize(
    ("name", "codec"), [("v.mp4", "mov_text"), ("v.mkv", "subrip"), ("v.mkv", "ass"), ("v.mkv", "webvtt")]
)
def test_a_text_track_is_read_without_its_markup(tmp_path: Path, name: str, codec: str) -> None:
    track = read_subtitle_stream(make_subtitled(tmp_path / name, (codec, "eng", CUES)), None)
    assert track is not None
    assert track.language == "en"
    assert track.segments == (
        Segment(500, 2000, "Open the menu, then wait."),
        Segment(2500, 3000, "Press Save."),
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"{\an8}{\i1}Type{\i0} the name", "Type the name"),
        ('<i>Type</i> the <font color="red">name</font>', "Type the name"),
        ("Press <Enter> & wait", "Press <Enter> & wait"),
        (r"one\Ntwo\hthree", "one two three"),
        (r"{\p1}m 0 0 l 100 0 100 100{\p0}A circle", "A circle"),
        ("it is, well, 1 < 2", "it is, well, 1 < 2"),
    ],
)
def test_markup_goes_and_words_stay(tmp_path: Path, written: str, read: str) -> None:
    track = read_subtitle_stream(
        make_subtitled(tmp_path / "v.mkv", ("ass", "eng", [(0, 900, written)])), None
    )
    assert track is not None
    assert [segment.text for segment in track.segments] == [read]


def test_times_count_from_the_start_of_the_video(tmp_path: Path) -> None:
    track = read_subtitle_stream(make_subtitled(tmp_path / "v.mkv", ("ass", "eng", CUES), start=90), None)
    assert track is not None
    assert [(segment.start_ms, segment.end_ms) for segment in track.segments] == [(500, 2000), (2500, 3000)]


def test_a_subtitle_without_an_end_lasts_until_the_next(tmp_path: Path) -> None:
    cues = [(500, 500, "first"), (2500, 2500, "second")]
    track = read_subtitle_stream(make_subtitled(tmp_path / "v.mkv", ("ass", "eng", cues)), None)
    assert track is not None
    assert [(segment.start_ms, segment.end_ms) for segment in track.segments] == [(500, 2500), (2500, 7500)]


ENGLISH, GERMAN, UNNAMED = (
    ("ass", "eng", [(0, 900, "Hello")]),
    ("ass", "ger", [(0, 900, "Hallo")]),
    (
        "ass",
        "und",
        [(0, 900, "Salve")],
    ),
)


@pytest.mark.parametrize(
    ("tracks", "language", "text"),
    [
        ((ENGLISH, GERMAN), None, "Hello"),
        ((ENGLISH, GERMAN), "de", "Hallo"),
        ((ENGLISH, GERMAN), "de-AT", "Hallo"),
        ((ENGLISH, GERMAN), "fr", None),
        ((UNNAMED,), "fr", "Salve"),
        ((UNNAMED, GERMAN), "de", "Hallo"),
    ],
)
def test_the_track_in_the_language_of_the_video_is_taken(
    tmp_path: Path, tracks: tuple[tuple[str, str, list[Cue]], ...], language: str | None, text: str | None
) -> None:
    track = read_subtitle_stream(make_subtitled(tmp_path / "v.mkv", *tracks), language)
    assert (track and track.segments[0].text) == text


@pytest.mark.parametrize(
    ("dispositions", "text"),
    [((None, Disposition.default), "Hallo"), ((Disposition.forced, None), "Hallo"), ((None, None), "Hello")],
)
def test_default_tracks_go_first_and_forced_ones_do_not_count(
    tmp_path: Path, dispositions: tuple[Disposition | None, ...], text: str
) -> None:
    video = make_subtitled(tmp_path / "v.mp4", ENGLISH_MP4, GERMAN_MP4, dispositions=dispositions)
    track = read_subtitle_stream(video, None)
    assert track is not None
    assert track.segments[0].text == text


ENGLISH_MP4, GERMAN_MP4 = ("mov_text", "eng", [(0, 900, "Hello")]), ("mov_text", "ger", [(0, 900, "Hallo")])


@pytest.mark.parametrize("cues", [[], [(0, 900, r"{\i1}{\i0}")]])
def test_a_track_without_a_word_is_none(tmp_path: Path, cues: list[Cue]) -> None:
    assert read_subtitle_stream(make_subtitled(tmp_path / "v.mkv", ("ass", "eng", cues)), None) is None


def test_subtitles_that_are_pictures_are_none(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    with av.open(path, "w") as container:
        picture = add_picture(container)
        stream = container.add_stream("dvdsub")
        write_picture(container, picture, seconds=1)
        packet = av.Packet(b"\x00\x04\x00\x04")
        packet.stream, packet.pts, packet.dts, packet.time_base = stream, 0, 0, Fraction(1, 1000)
        container.mux(packet)
    with av.open(path) as container:
        assert container.streams.subtitles
    assert read_subtitle_stream(path, None) is None


def test_the_recogniser_of_subtitles_passes_on_videos_without(tmp_path: Path) -> None:
    shares: list[float] = []
    recogniser = EmbeddedSubtitles()
    with_them = make_subtitled(tmp_path / "with.mkv", ("ass", "eng", CUES))
    without = write_video(tmp_path / "without.mkv")
    found = recogniser.transcribe(video=with_them, audio=with_them, language=None, on_progress=shares.append)
    assert found is not None
    assert (found.language, found.recogniser, len(found.segments)) == ("en", "subtitles", 2)
    assert (
        recogniser.transcribe(video=without, audio=without, language=None, on_progress=shares.append) is None
    )
    assert shares == [1.0, 1.0]


def test_the_recogniser_of_subtitles_passes_on_what_is_no_video(tmp_path: Path) -> None:
    video = tmp_path / "v.mp4"
    video.write_bytes(b"no video" * 100)
    assert (
        EmbeddedSubtitles().transcribe(
            video=video, audio=video, language=None, on_progress=lambda share: None
        )
        is None
    )


SEGMENTS = [
    Segment(0, 1500, "Click <Save> & wait --> now."),
    Segment(1500, 1500, "two\r\n\r\nlines"),
    Segment(2000, 3000, " \n"),
    Segment(36_061_001, 36_062_010, "late"),
]


def test_srt_is_written_as_players_read_it() -> None:
    assert to_srt(SEGMENTS) == (
        "1\n00:00:00,000 --> 00:00:01,500\nClick <Save> & wait -> now.\n\n"
        "2\n00:00:01,500 --> 00:00:01,501\ntwo\nlines\n\n"
        "3\n10:01:01,001 --> 10:01:02,010\nlate\n"
    )


def test_vtt_is_written_as_its_standard_asks() -> None:
    assert to_vtt(SEGMENTS) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:01.500\nClick &lt;Save&gt; &amp; wait --&gt; now.\n\n"
        "00:00:01.500 --> 00:00:01.501\ntwo\nlines\n\n"
        "10:01:01.001 --> 10:01:02.010\nlate\n"
    )


def test_no_segments_give_empty_files() -> None:
    assert (to_srt([]), to_vtt([])) == ("", "WEBVTT\n")


segments_of_any_text = st.lists(
    st.builds(
        Segment,
        start_ms=st.integers(0, 10**8),
        end_ms=st.integers(10**8, 2 * 10**8),
        text=st.lists(st.sampled_from(["-->", "-", ">", "<", "&", "\r", "\n", "\x00", " ", "é"])).map(
            "".join
        ),
    ),
    max_size=5,
)


@given(segments_of_any_text)
def test_no_text_breaks_out_of_its_cue(segments: list[Segment]) -> None:
    spoken = [segment for segment in segments if segment.text.replace("\x00", "").strip()]
    cues = re.split(r"\n\n", to_vtt(segments).removesuffix("\n"))[1:]
    assert len(cues) == len(spoken)
    assert all("-->" not in line and "<" not in line for cue in cues for line in cue.split("\n")[1:])
    cues = [cue for cue in re.split(r"\n\n", to_srt(segments).removesuffix("\n")) if cue]
    assert len(cues) == len(spoken)
    assert all("-->" not in line for cue in cues for line in cue.split("\n")[2:])
