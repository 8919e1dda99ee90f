"""Subtitles: write a transcript as SubRip or WebVTT, and read the text track of a video."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.media.probe import Source, is_text_subtitle, open_media, read_packets, timeline_start
from jobs.media.transcripts import MAX_SEGMENTS, MAX_TEXT_CHARACTERS, MAX_TIME_MS, Segment

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.subtitles.stream import SubtitleStream

# Containers have ISO 639-2 codes (two for some languages). Transcripts have BCP 47 tags, which take the short code
# where there is one (RFC 5646, 2.2.1). Other codes are kept as they are.
_ISO_639_2 = """
    ara=ar bul=bg cat=ca ces=cs cze=cs chi=zh zho=zh dan=da deu=de ger=de ell=el gre=el eng=en
    est=et fin=fi fra=fr fre=fr heb=he hin=hi hrv=hr hun=hu ind=id ita=it jpn=ja kor=ko lav=lv
    lit=lt may=ms msa=ms dut=nl nld=nl nor=no nob=nb nno=nn per=fa fas=fa pol=pl por=pt ron=ro
    rum=ro rus=ru slk=sk slo=sk slv=sl spa=es srp=sr swe=sv tam=ta tel=te tha=th tur=tr ukr=uk
    urd=ur vie=vi
"""
_SHORT_CODES: dict[str, str] = dict(re.findall(r"(\w{3})=(\w\w)", _ISO_639_2))
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_NO_LANGUAGE = frozenset({"und", "mis", "mul", "zxx"})

_ASS_OVERRIDE = re.compile(r"\{[^{}]*\}")
_ASS_DRAWING = re.compile(r"\\p(\d)")  # 0: what follows is text again
# Only known markup: a subtitle may say "press <Enter>".
_MARKUP = re.compile(r"</?(?:b|i|u|s|c|v|font|ruby|rt|lang|span)(?:[.\s][^<>]*)?>|<[\d:.]+>", re.IGNORECASE)
_ARROW = re.compile(r"-{2,}>")
_NO_END_MS = 5000

# A few kilobytes can unpack to gigabytes. The subtitles of a film are 100 KB, one is a line or two.
_MAX_EVENT_BYTES = 256 * 1024
_MAX_TRACK_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class SubtitleTrack:
    """The text of a subtitle stream; `language` is a BCP 47 tag, None when the file does not say."""

    language: str | None
    segments: tuple[Segment, ...]


def to_srt(segments: Iterable[Segment]) -> str:
    """Return SubRip text with \\n line ends. Segments without text are left out."""
    cues = [
        # The format has no escapes, and readers take any line with an arrow for a line of times.
        f"{number}\n{_times(segment, ',')}\n{_ARROW.sub('->', text)}\n"
        for number, (segment, text) in enumerate(_with_text(segments), start=1)
    ]
    return "\n".join(cues)


def to_vtt(segments: Iterable[Segment]) -> str:
    """Return WebVTT text with \\n line ends, escaped (WebVTT, 4.2.2). Segments without text are left out."""
    cues = [f"{_times(segment, '.')}\n{_escape_vtt(text)}\n" for segment, text in _with_text(segments)]
    return "\n".join(["WEBVTT\n", *cues])


def read_subtitle_stream(video: Source, language: str | None) -> SubtitleTrack | None:
    """Return the subtitles of the video as text without markup, in order of time; None when it has no text track.

    Subtitles of over `_MAX_EVENT_BYTES` are left out, and of a track `_MAX_TRACK_BYTES` are read.
    The default track is read, else the first; tracks for passages in other languages ("forced") are left out.
    With a `language` (BCP 47), only a track in that language is read, or one that does not name its language.
    Raise `probe.UnreadableVideo` and OSError.
    """
    with open_media(video) as container:
        stream = _choose(container, language)
        if stream is None:
            return None
        start = timeline_start(container)
        segments = []
        left = _MAX_TRACK_BYTES
        for packet in read_packets(container, [stream]):
            left -= packet.size
            if left < 0:
                break
            if packet.pts is None or packet.time_base is None or packet.size > _MAX_EVENT_BYTES:
                continue
            text, shown_ms = _decode(stream, packet)
            start_ms = round((packet.pts * packet.time_base - start) * 1000)
            end_ms = min(start_ms + shown_ms, MAX_TIME_MS)
            if text and 0 <= max(start_ms, 0) <= end_ms:
                segments.append(Segment(max(start_ms, 0), end_ms, text))
            if len(segments) == MAX_SEGMENTS:
                break
        tag = _language(stream)
    segments.sort(key=lambda segment: segment.start_ms)
    return SubtitleTrack(language=tag, segments=tuple(_close(segments))) if segments else None


def _with_text(segments: Iterable[Segment]) -> Iterable[tuple[Segment, str]]:
    """Yield the segments that have text, with the text. Empty lines, which would end a cue, are left out."""
    for segment in segments:
        lines = (line.strip() for line in re.split(r"[\r\n]+", segment.text.replace("\x00", "")))
        text = "\n".join(line for line in lines if line)
        if text:
            yield segment, text


def _times(segment: Segment, mark: str) -> str:
    # WebVTT requires an end after the start.
    return f"{_time(segment.start_ms, mark)} --> {_time(max(segment.end_ms, segment.start_ms + 1), mark)}"


def _time(milliseconds: int, mark: str) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{milliseconds:03}"


def _escape_vtt(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _choose(container: InputContainer, language: str | None) -> SubtitleStream | None:
    # Imported here: it takes 0.1 s, and most processes never read a video.
    from av.stream import Disposition

    streams = [
        stream
        for stream in container.streams.subtitles
        if is_text_subtitle(stream) and not stream.disposition & Disposition.forced
    ]
    if language is not None:
        wanted = _primary(language)
        streams = [stream for stream in streams if _primary(_language(stream) or language) == wanted]
    return min(
        streams,
        # A track that is tagged with the language comes before one without a tag.
        key=lambda stream: (
            language is not None and _language(stream) is None,
            not stream.disposition & Disposition.default,
            stream.index,
        ),
        default=None,
    )


def _language(stream: SubtitleStream) -> str | None:
    code = stream.language or ""
    if code.lower() in _NO_LANGUAGE or not _TAG.fullmatch(code):
        return None
    return _SHORT_CODES.get(code.lower(), code)


def _primary(tag: str) -> str:
    code = tag.split("-", 1)[0].lower()
    return _SHORT_CODES.get(code, code)


def _decode(stream: SubtitleStream, packet: Packet[SubtitleStream]) -> tuple[str, int]:
    """Return the text of a packet ("" for none), and for how many milliseconds it is shown (0: not known)."""
    from av.error import FFmpegError
    from av.subtitles.subtitle import AssSubtitle

    try:
        subtitle = stream.codec_context.decode2(packet)
    except MemoryError:
        raise
    except FFmpegError:
        return "", 0  # one damaged subtitle; the others can still be read
    if subtitle is None:
        return "", 0
    shown_ms = subtitle.end_display_time
    if shown_ms in (0, 2**32 - 1):
        shown_ms = round((packet.duration or 0) * (packet.time_base or 0) * 1000)
    texts = (_plain(rect.ass) for rect in subtitle if isinstance(rect, AssSubtitle))
    return " ".join(text for text in texts if text)[:MAX_TEXT_CHARACTERS], shown_ms


def _plain(dialogue: bytes) -> str:
    """Return the words of an ASS event as FFmpeg gives it: eight fields with a comma after each, then the text."""
    fields = dialogue.decode("utf-8", errors="replace").split(",", 8)
    text = re.sub(r"\\[Nnh]", " ", _without_overrides(fields[-1]))
    return " ".join(_MARKUP.sub("", text).split())


def _without_overrides(text: str) -> str:
    """Return the text without the overrides in braces, and without the drawings that some of them begin."""
    kept, at, is_drawing = [], 0, False
    for override in _ASS_OVERRIDE.finditer(text):
        if not is_drawing:
            kept.append(text[at : override.start()])
        at = override.end()
        if modes := _ASS_DRAWING.findall(override[0]):
            is_drawing = modes[-1] != "0"
    if not is_drawing:
        kept.append(text[at:])
    return "".join(kept)


def _close(segments: list[Segment]) -> Iterable[Segment]:
    """Yield the segments, where an end that is missing becomes the next start, at most `_NO_END_MS` later."""
    for index, segment in enumerate(segments):
        if segment.end_ms > segment.start_ms:
            yield segment
            continue
        until = segment.start_ms + _NO_END_MS
        if index + 1 < len(segments):
            until = min(until, segments[index + 1].start_ms)
        yield Segment(segment.start_ms, min(until, MAX_TIME_MS), segment.text)
