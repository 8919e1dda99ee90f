"""Speech to text by a service with OpenAI's protocol: POST {url}/v1/audio/transcriptions.

Reference: the OpenAI API, "Create transcription"; many servers for Whisper models have the same protocol.
"""

from __future__ import annotations

import asyncio
import json
import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.media.audio import UnreadableSound, compress_sound
from jobs.media.probe import Source
from jobs.media.speech import SpeechError
from jobs.media.speech.hot_words import as_sentences
from jobs.media.transcripts import UNDETERMINED, Transcript, transcript_from_json

if TYPE_CHECKING:
    import httpx

MAX_ANSWER_BYTES = 16 * 1024 * 1024
# OpenAI accepts files of up to 25 MB: half an hour of speech as FLAC, three hours as Opus.
LARGE_SOUND_BYTES = 24_000_000
_CONNECT_TIMEOUT_S = 5.0
_HEARTBEAT_S = 1.0

# `verbose_json` has the language's English name or its code, depending on the server.
_LANGUAGE_CODES = dict(
    arabic="ar", chinese="zh", czech="cs", danish="da", dutch="nl", english="en", finnish="fi", french="fr",
    german="de", greek="el", hebrew="he", hindi="hi", hungarian="hu", indonesian="id", italian="it",
    japanese="ja", korean="ko", norwegian="no", polish="pl", portuguese="pt", romanian="ro", russian="ru",
    spanish="es", swedish="sv", turkish="tr", ukrainian="uk", vietnamese="vi",
)  # fmt: skip


class HttpRecogniser:
    """Recogniser that sends the sound to a service.

    `url` is the base of the service, with or without "/v1" at its end. An empty `api_key` is not sent.
    `timeout_s` is for the whole call, of which connecting may take 5 seconds. `compress` is called for a large sound
    as `compress_sound` would be, which reads a file of others.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        model: str,
        timeout_s: float = 600.0,
        compress: Callable[..., None] = compress_sound,
    ) -> None:
        self._endpoint = f"{url.rstrip('/').removesuffix('/v1')}/v1/audio/transcriptions"
        # Without compression, as a few bytes could unpack to gigabytes.
        self._headers = {"Accept-Encoding": "identity"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._model = model
        self._timeout_s = timeout_s
        self._compress = compress
        self._name = f"http:{model[:100]}".encode("ascii", "replace").decode()

    def transcribe(
        self,
        *,
        video: Source,
        audio: Path,
        language: str | None,
        hot_words: Sequence[str] = (),
        on_progress: Callable[[float], None],
    ) -> Transcript:
        """Return the transcript of the service, and call `on_progress` about once a second while it works.

        See `Recogniser.transcribe`. Raise SpeechError: SPEECH_SERVICE_UNREACHABLE, SPEECH_SERVICE_REFUSED,
        SPEECH_SERVICE_BAD_ANSWER, SOUND_UNREADABLE. Messages contain nothing of the answer and not the key.
        """
        with tempfile.TemporaryDirectory(prefix="stepwright-") as folder:
            if audio.stat().st_size > LARGE_SOUND_BYTES:
                audio = self._compressed(audio, Path(folder) / "sound.ogg", on_progress)
            body = self._ask(audio, self._form(language, hot_words), on_progress)
        transcript = _read_answer(body, language=language, recogniser=self._name)
        on_progress(1.0)
        return transcript

    def _compressed(self, audio: Path, target: Path, on_progress: Callable[[float], None]) -> Path:
        try:
            self._compress(audio, target, on_progress=lambda share: on_progress(0.0))
        except UnreadableSound as error:
            raise SpeechError("SOUND_UNREADABLE", "The sound of this recording cannot be read.") from error
        return target

    def _form(self, language: str | None, hot_words: Sequence[str]) -> dict[str, str]:
        form = {
            "model": self._model,
            "response_format": "verbose_json",
            "timestamp_granularities[]": "segment",
        }
        if language is not None:
            form["language"] = language.split("-", 1)[0].lower()
        if hot_words:
            form["prompt"] = as_sentences(hot_words)
        return form

    def _ask(self, audio: Path, form: dict[str, str], on_progress: Callable[[float], None]) -> bytes:
        # A task can be cancelled, unlike a thread that waits for a socket. Its loop does not run during
        # `on_progress`, which may use a database: Django forbids that inside a running loop.
        with asyncio.Runner() as runner:
            answer = runner.get_loop().create_task(self._post(audio, form))
            while not answer.done():
                runner.run(_wait(answer))
                on_progress(0.0)
            return answer.result()

    async def _post(self, audio: Path, form: dict[str, str]) -> bytes:
        # Imported here: it takes 20 ms, and most processes never call the service.
        import httpx

        limits = httpx.Timeout(self._timeout_s, connect=_CONNECT_TIMEOUT_S)
        # A transport of its own takes no proxy from the environment, which would be sent the key and the sound.
        transport = httpx.AsyncHTTPTransport()
        try:
            with audio.open("rb") as file:
                async with (
                    asyncio.timeout(self._timeout_s),
                    httpx.AsyncClient(timeout=limits, transport=transport, follow_redirects=False) as client,
                    client.stream(
                        "POST",
                        self._endpoint,
                        headers=self._headers,
                        data=form,
                        files={"file": (f"sound{audio.suffix}", file)},
                    ) as response,
                ):
                    return await _body(response)
        except (TimeoutError, httpx.TransportError, httpx.InvalidURL) as error:
            raise SpeechError(
                "SPEECH_SERVICE_UNREACHABLE",
                "The speech service cannot be reached or takes too long. Try again later.",
            ) from error


async def _wait(task: asyncio.Task[bytes]) -> None:
    await asyncio.wait({task}, timeout=_HEARTBEAT_S)


async def _body(response: httpx.Response) -> bytes:
    if response.status_code == 429 or response.status_code >= 500:
        raise SpeechError(
            "SPEECH_SERVICE_UNREACHABLE",
            f"The speech service is not available now (status {response.status_code}). Try again later.",
        )
    if response.status_code != 200:
        raise SpeechError(
            "SPEECH_SERVICE_REFUSED",
            f"The speech service refused the recording (status {response.status_code}). Ask the operator.",
        )
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise _bad_answer()
    return bytes(body)


def _read_answer(body: bytes, *, language: str | None, recogniser: str) -> Transcript:
    try:
        answer = json.loads(body)
        heard = str(answer.get("language") or "").lower()
        segments = answer["segments"] if "segments" in answer or answer["text"] else []
        return transcript_from_json(
            {
                "language": language or _LANGUAGE_CODES.get(heard, heard) or UNDETERMINED,
                "recogniser": recogniser,
                "segments": [_segment(item) for item in segments if item["text"].strip()],
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        # The answer does not follow the protocol. The error may quote it, so it is not chained and not logged.
        raise _bad_answer() from None


def _segment(item: dict[str, Any]) -> dict[str, Any]:
    start, end = float(item["start"]), float(item["end"])
    if not (math.isfinite(start) and math.isfinite(end)):
        raise ValueError("times must be finite")
    start_ms = max(0, round(start * 1000))
    return {"start_ms": start_ms, "end_ms": max(start_ms, round(end * 1000)), "text": item["text"].strip()}


def _bad_answer() -> SpeechError:
    return SpeechError(
        "SPEECH_SERVICE_BAD_ANSWER",
        "The speech service sent an answer that cannot be used. Ask the operator to check address and model.",
    )
