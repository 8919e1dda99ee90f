"""Recognition by a service, against a real server that takes the protocol apart."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jobs.media.audio import extract_audio
from jobs.media.speech import SpeechError, http
from jobs.media.speech.http import HttpRecogniser
from jobs.media.transcripts import Segment, Transcript
from tests.jobs.media.recordings import bursts, write_video
from tests.proxies import through_a_proxy

pytestmark = pytest.mark.slow
KEY = "sk-a-secret-of-the-operator"

ANSWER = {
    "task": "transcribe",
    "language": "english",
    "duration": 2.0,
    "text": "Click Save. Wait.",
    "segments": [
        {
            "id": 0,
            "seek": 0,
            "start": 0.0,
            "end": 1.2345,
            "text": " Click Save.",
            "tokens": [1],
            "temperature": 0.0,
        },
        {"id": 1, "seek": 0, "start": 1.5, "end": 1.4, "text": " Wait.", "avg_logprob": -0.2},
        {"id": 2, "seek": 0, "start": 1.6, "end": 1.7, "text": "  "},
    ],
}


@dataclass
class Service:
    """What the server answers, and what it was asked."""

    status: int = 200
    body: bytes = json.dumps(ANSWER).encode()
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0
    pause_s: float = 0  # between the bytes of the answer
    url: str = ""
    requests: list[tuple[str, Message, dict[str, tuple[str | None, bytes]]]] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    service: Service

    def do_POST(self) -> None:
        content = self._content()
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts: dict[str, tuple[str | None, bytes]] = {}
        for part in BytesParser().parsebytes(head + content).get_payload():
            assert isinstance(part, Message)
            name = str(part.get_param("name", header="content-disposition"))
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            parts[name] = (part.get_filename(), payload)
        self.service.requests.append((self.path, self.headers, parts))
        time.sleep(self.service.delay_s)
        try:
            self.send_response(self.service.status)
            for name, value in self.service.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(self.service.body)))
            self.end_headers()
            step = 1 if self.service.pause_s else 65_536
            for begin in range(0, len(self.service.body), step):
                self.wfile.write(self.service.body[begin : begin + step])
                self.wfile.flush()
                time.sleep(self.service.pause_s)
        except OSError:
            self.service.hung_up.set()

    do_GET = do_POST

    def _content(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        return content

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests' output is read."""


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"service": found}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    extract_audio(write_video(folder / "v.mp4", sound=bursts(2, 1)), folder / "s.flac")
    return folder / "s.flac"


def ask(
    service: Service,
    sound: Path,
    *,
    url: str | None = None,
    key: str = KEY,
    language: str | None = None,
    hot_words: Sequence[str] = (),
    timeout_s: float = 10,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Transcript:
    recogniser = HttpRecogniser(url or service.url, key, "whisper-1", timeout_s=timeout_s)
    return recogniser.transcribe(
        video=sound, audio=sound, language=language, hot_words=hot_words, on_progress=on_progress
    )


def refusal(service: Service, sound: Path, **options: Any) -> SpeechError:
    with pytest.raises(SpeechError) as refused:
        ask(service, sound, **options)
    return refused.value


def test_the_service_is_asked_as_its_protocol_says(service: Service, sound: Path) -> None:
    ask(service, sound, language="pt-BR")
    ((path, headers, parts),) = service.requests
    assert path == "/v1/audio/transcriptions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert parts.pop("file") == ("sound.flac", sound.read_bytes())
    assert {name: value for name, (_, value) in parts.items()} == {
        "model": b"whisper-1",
        "response_format": b"verbose_json",
        "timestamp_granularities[]": b"segment",
        "language": b"pt",
    }


def test_the_service_is_told_hot_words_as_a_prompt(service: Service, sound: Path) -> None:
    ask(service, sound, hot_words=("New invoice", "Bill to"))
    ask(service, sound)
    (_, _, told), (_, _, untold) = service.requests
    assert told["prompt"] == (None, b"New invoice. Bill to.")
    assert "prompt" not in untold


def test_its_answer_becomes_a_transcript(service: Service, sound: Path) -> None:
    assert ask(service, sound) == Transcript(
        language="en",
        segments=(Segment(0, 1234, "Click Save."), Segment(1500, 1500, "Wait.")),
        recogniser="http:whisper-1",
    )


def test_without_a_language_none_is_sent_and_without_a_key_no_header(service: Service, sound: Path) -> None:
    ask(service, sound, key="")
    ((_, headers, parts),) = service.requests
    assert "language" not in parts
    assert "Authorization" not in headers


@pytest.mark.parametrize("base", ["", "/", "/v1", "/v1/"])
def test_the_base_may_be_written_with_its_version(service: Service, sound: Path, base: str) -> None:
    ask(service, sound, url=service.url + base)
    assert service.requests[0][0] == "/v1/audio/transcriptions"


@pytest.mark.parametrize(
    ("language", "answered", "expected"),
    [("de-AT", "german", "de-AT"), (None, "german", "de"), (None, "nl", "nl"), (None, None, "und")],
)
def test_the_language_is_the_one_asked_for_else_the_one_heard(
    service: Service, sound: Path, language: str | None, answered: str | None, expected: str
) -> None:
    service.body = json.dumps({**ANSWER, "language": answered}).encode()
    assert ask(service, sound, language=language).language == expected


@pytest.mark.parametrize("answer", [{"text": "", "segments": []}, {"text": ""}])
def test_silence_is_a_transcript_without_segments(
    service: Service, sound: Path, answer: dict[str, object]
) -> None:
    service.body = json.dumps(answer).encode()
    assert ask(service, sound).segments == ()


def test_a_large_sound_is_sent_compressed(
    service: Service, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LARGE_SOUND_BYTES", sound.stat().st_size - 1)
    ask(service, sound)
    name, content = service.requests[0][2]["file"]
    assert name == "sound.ogg"
    assert content.startswith(b"OggS")


def segment(**changes: object) -> bytes:
    return json.dumps({"text": "a", "segments": [{"start": 0, "end": 1, "text": "a", **changes}]}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>a page of a proxy</html>",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"text": "words without times"}',
        b'{"text": "a", "segments": 7}',
        b'{"text": "a", "segments": [7]}',
        b'{"text": "a", "segments": [{"text": "a"}]}',
        segment(start=float("nan")),
        segment(end=float("inf")),
        segment(start="soon"),
        segment(end=1e9),
        segment(text=5),
        segment(text="a\x00"),
        segment(text="\ud800"),
        segment(text="a" * 10_001),
        b"[" * 100_000,
        segment() + b" " * http.MAX_ANSWER_BYTES,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_an_answer_that_cannot_be_used_is_named_so(service: Service, sound: Path, body: bytes) -> None:
    service.body = body
    assert refusal(service, sound).code == "SPEECH_SERVICE_BAD_ANSWER"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (204, "SPEECH_SERVICE_REFUSED"),
        (400, "SPEECH_SERVICE_REFUSED"),
        (401, "SPEECH_SERVICE_REFUSED"),
        (413, "SPEECH_SERVICE_REFUSED"),
        (429, "SPEECH_SERVICE_UNREACHABLE"),
        (500, "SPEECH_SERVICE_UNREACHABLE"),
        (503, "SPEECH_SERVICE_UNREACHABLE"),
    ],
)
def test_a_refusal_is_told_from_an_outage(service: Service, sound: Path, status: int, code: str) -> None:
    service.status, service.body = status, b"" if status == 204 else b'{"error": "wrong key sk-a-secret"}'
    error = refusal(service, sound)
    assert (error.code, str(status) in error.message) == (code, True)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(service: Service, sound: Path, status: int) -> None:
    service.status, service.headers = status, {"Location": f"{service.url}/elsewhere"}
    assert refusal(service, sound).code == "SPEECH_SERVICE_REFUSED"
    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [200, 401, 500])
def test_no_message_and_no_traceback_quotes_the_answer_or_the_key(
    service: Service, sound: Path, status: int
) -> None:
    service.status, service.body = status, segment(start="words of the speaker")
    error: BaseException | None = refusal(service, sound)
    assert isinstance(error, SpeechError) and error.message == str(error)
    while error is not None:
        assert "words of the speaker" not in str(error) and KEY not in str(error)
        error = error.__cause__


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://[", "ftp://127.0.0.1", "127.0.0.1"])
def test_a_service_that_is_not_there_is_unreachable(service: Service, sound: Path, url: str) -> None:
    assert refusal(service, sound, url=url).code == "SPEECH_SERVICE_UNREACHABLE"


@pytest.mark.parametrize(("delay_s", "pause_s"), [(3, 0), (0, 0.1)])
def test_a_service_that_takes_too_long_is_unreachable(
    service: Service, sound: Path, delay_s: float, pause_s: float
) -> None:
    service.delay_s, service.pause_s, service.body = delay_s, pause_s, b" " * 30
    begin = time.monotonic()
    assert refusal(service, sound, timeout_s=0.5).code == "SPEECH_SERVICE_UNREACHABLE"
    assert time.monotonic() - begin < 2


class Cancelled(Exception):
    pass


def test_proxies_of_the_environment_are_not_used(
    service: Service, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    through_a_proxy("http://127.0.0.1:9", monkeypatch)
    assert ask(service, sound).segments


def test_cancelling_ends_the_call_while_the_service_works(service: Service, sound: Path) -> None:
    service.delay_s, service.body = 4, b" " * 10_000_000

    def cancel(share: float) -> None:
        raise Cancelled

    begin = time.monotonic()
    with pytest.raises(Cancelled):
        ask(service, sound, on_progress=cancel)
    assert time.monotonic() - begin < 3
    assert service.hung_up.wait(10)


def test_progress_is_told_outside_of_the_loop(service: Service, sound: Path) -> None:
    """Django refuses its database inside a running event loop, and a worker writes its heartbeat there."""
    service.delay_s = 1.5
    shares: list[float] = []

    def write(share: float) -> None:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        shares.append(share)

    ask(service, sound, on_progress=write)
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert len(shares) >= 3
