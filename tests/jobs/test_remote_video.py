"""Fetching a video from elsewhere, against real servers on sockets that answer well, badly and with intent."""

from __future__ import annotations

import errno
import socket
import ssl
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from jobs.media.remote_video import Limits, fetch_video, resolve_host
from jobs.media.video_uris import RemoteVideoError, is_public_address
from tests.jobs.media_server import Server, chunked, reply, serving

VIDEO = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 40
QUICK = Limits(silence_s=10, whole_s=40, pauses_s=(0.01, 0.01))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as started:
        started.answers = [reply(VIDEO)]
        yield started


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """A server that must not be asked."""
    with serving(Server()) as started:
        started.answers = [reply(b"secrets of the inside")]
        yield started
        assert started.requests == []


class Fetch:
    """Fetches by a name that resolves to this machine, which counts as public unless told otherwise."""

    def __init__(self, folder: Path, port: int) -> None:
        self.target, self.port = folder / "video", port
        self.addresses: list[str] = ["127.0.0.1"]
        self.resolved: list[str] = []
        self.progress: list[float] = []

    def __call__(self, path: str = "/recordings/one.mp4", *, scheme: str = "http", **options: Any) -> bytes:
        place = f"{scheme}://media.test:{self.port}"
        given: dict[str, Any] = {
            "allowed_prefixes": [f"{place}/recordings/"],
            "max_bytes": 2**20,
            "on_progress": self.progress.append,
            "is_public": lambda address: address == "127.0.0.1",
            "resolve": self.resolve,
            "limits": QUICK,
        }
        fetch_video(place + path, self.target, **{**given, **options})
        return self.target.read_bytes()

    def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        return self.addresses

    def fails(self, code: str, **options: Any) -> str:
        """Answers the sentence, which names no address; and nothing is left on the disk."""
        with pytest.raises(RemoteVideoError) as caught:
            self(**options)
        assert caught.value.code == code, caught.value.message
        assert not self.target.exists()
        for inside in ("127.0", "media.test", str(self.port), "secrets"):
            assert inside not in caught.value.message
        return caught.value.message


@pytest.fixture
def fetch(tmp_path: Path, server: Server) -> Fetch:
    return Fetch(tmp_path, server.port)


def test_a_video_is_written_whole_and_asked_for_by_its_name(fetch: Fetch, server: Server) -> None:
    assert fetch("/recordings/one%20day.mp4?signature=a%2Fb") == VIDEO
    (head,) = server.requests
    lines = head.decode().split("\r\n")
    assert lines[0] == "GET /recordings/one%20day.mp4?signature=a%2Fb HTTP/1.1"
    assert f"Host: media.test:{server.port}" in lines
    assert "Accept-Encoding: identity" in lines
    assert fetch.progress == sorted(fetch.progress) and fetch.progress[-1] == 1.0
    assert fetch.resolved == ["media.test"]


def test_a_chunked_video_is_written_whole(fetch: Fetch, server: Server) -> None:
    server.answers = [chunked(VIDEO[:100], VIDEO[100:])]
    assert fetch() == VIDEO


def test_an_answer_that_is_longer_than_it_says_ends_where_it_says(fetch: Fetch, server: Server) -> None:
    server.answers = [reply(VIDEO + b"and more", size=len(VIDEO))]
    assert fetch() == VIDEO


def test_memory_does_not_grow_with_the_video(fetch: Fetch, server: Server) -> None:
    megabyte = bytes(2**20)

    def send(connection: socket.socket) -> None:
        connection.sendall(reply(b"", size=48 * 2**20))
        for _ in range(48):
            connection.sendall(megabyte)

    server.answers = [send]
    tracemalloc.start()
    try:
        fetch.target.unlink(missing_ok=True)
        with pytest.raises(MemoryError):  # once it is there, and before it is read to compare
            fetch(max_bytes=2**30, on_progress=stop_at_the_end)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


def stop_at_the_end(share: float) -> None:
    if share == 1.0:
        raise MemoryError


def test_loopback_is_refused_and_never_connected_to(tmp_path: Path, elsewhere: Server) -> None:
    fetch = Fetch(tmp_path, elsewhere.port)
    fetch.fails("VIDEO_ADDRESS_REFUSED", is_public=is_public_address)
    assert fetch.resolved == ["media.test"]


@pytest.mark.parametrize("other", ["10.0.0.7", "169.254.169.254", "::1", "fe80::1%lo", "::ffff:127.0.0.1"])
def test_one_private_address_among_public_ones_is_enough_to_refuse(
    fetch: Fetch, server: Server, other: str
) -> None:
    fetch.addresses = ["127.0.0.1", other]
    fetch.fails("VIDEO_ADDRESS_REFUSED")
    assert server.requests == []


def test_a_name_that_resolves_otherwise_a_moment_later_changes_nothing(
    fetch: Fetch, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, system = [], socket.getaddrinfo

    def rebinding(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host == "media.test":
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return system(host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with serving(Server("127.0.0.2", server.port)) as inside:
        inside.answers = [reply(b"secrets of the inside")]
        assert fetch(resolve=resolve_host) == VIDEO
        assert inside.requests == [] and asked == ["media.test"]


def test_the_check_is_made_anew_for_each_try(fetch: Fetch, server: Server) -> None:
    def fall_back_to_the_inside(connection: socket.socket) -> None:
        fetch.addresses = ["10.0.0.7"]
        connection.sendall(reply(b"", status="503 Busy"))

    server.answers = [fall_back_to_the_inside]
    fetch.fails("VIDEO_ADDRESS_REFUSED")
    assert len(server.requests) == 1


def test_proxies_of_the_environment_are_not_used(
    fetch: Fetch, elsewhere: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{elsewhere.port}")
    assert fetch() == VIDEO


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed(fetch: Fetch, server: Server, elsewhere: Server, status: str) -> None:
    server.answers = [reply(VIDEO, f"Location: http://127.0.0.1:{elsewhere.port}/x", status=status)]
    assert "redirects" in fetch.fails("VIDEO_NOT_REACHABLE")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["201 Created", "206 Partial", "401 No", "403 No", "404 No", "410 Gone"])
def test_any_status_but_200_is_final(fetch: Fetch, server: Server, status: str) -> None:
    server.answers = [reply(VIDEO, status=status)]
    assert status[:3] in fetch.fails("VIDEO_NOT_REACHABLE")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["429 Slow", "500 Oops", "503 Busy"])
def test_what_may_pass_is_tried_three_times(fetch: Fetch, server: Server, status: str) -> None:
    server.answers = [reply(b"", status=status)]
    assert status[:3] in fetch.fails("VIDEO_NOT_REACHABLE")
    assert len(server.requests) == 3


def test_a_try_after_a_failed_one_starts_from_nothing(fetch: Fetch, server: Server) -> None:
    server.answers = [reply(b"x" * 50_000, size=60_000), reply(b"", status="500 Oops"), reply(VIDEO)]
    assert fetch() == VIDEO


@pytest.mark.parametrize(
    "answer",
    [
        reply(VIDEO, size=len(VIDEO) + 1),
        chunked(VIDEO)[:-5],
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"not HTTP at all\r\n\r\n",
        reply(VIDEO, "Content-Length: 5"),
        reply(VIDEO, "X-Long: " + "x" * 300_000),
    ],
    ids=[
        "truncated",
        "truncated chunks",
        "silent end",
        "half a head",
        "no HTTP",
        "two lengths",
        "huge header",
    ],
)
def test_an_answer_that_is_broken_is_no_video(fetch: Fetch, server: Server, answer: bytes) -> None:
    server.answers = [answer]
    fetch.fails("VIDEO_NOT_REACHABLE")
    assert len(server.requests) == 3


def test_an_answer_without_a_length_might_be_cut_anywhere(fetch: Fetch, server: Server) -> None:
    server.answers = [b"HTTP/1.1 200 OK\r\n\r\n" + VIDEO]
    assert "how long" in fetch.fails("VIDEO_NOT_REACHABLE")


def test_a_video_that_says_it_is_too_large_is_not_read(fetch: Fetch, server: Server) -> None:
    server.answers = [reply(VIDEO, size=20_000), reply(VIDEO)]
    assert "15000 bytes" in fetch.fails("VIDEO_TOO_LARGE", max_bytes=15_000)
    assert fetch(max_bytes=len(VIDEO)) == VIDEO


def test_a_body_without_end_is_cut_off_at_the_limit(fetch: Fetch, server: Server) -> None:
    sent = []

    def send_for_ever(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            sent.append(0x10000)

    server.answers = [send_for_ever]
    fetch.fails("VIDEO_TOO_LARGE")
    assert sum(sent) < 2**20 + 16 * 2**20  # what the buffers of the sockets hold on top
    assert len(server.requests) == 1


@pytest.mark.parametrize("start", [b"", reply(b"", size=100_000)], ids=["head", "body"])
def test_a_drip_does_not_outlast_the_time_for_all(fetch: Fetch, server: Server, start: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        for byte in b"HTTP/1.1 200 OK\r\nX-Drip: " + b"x" * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    server.answers = [drip]
    began = time.monotonic()
    message = fetch.fails("VIDEO_NOT_REACHABLE", limits=Limits(silence_s=5, whole_s=1))
    assert "too long" in message and time.monotonic() - began < 10


def test_a_server_that_falls_silent_is_given_up(fetch: Fetch, server: Server) -> None:
    server.answers = [lambda connection: time.sleep(5)]
    began = time.monotonic()
    fetch.fails("VIDEO_NOT_REACHABLE", limits=Limits(silence_s=0.4, pauses_s=(0.01, 0.01)))
    assert len(server.requests) == 3 and time.monotonic() - began < 10


class Cancelled(Exception):
    pass


def test_a_cancelled_fetch_stops_while_the_server_is_silent(fetch: Fetch, server: Server) -> None:
    def send_half(connection: socket.socket) -> None:
        connection.sendall(reply(VIDEO, size=100_000))
        time.sleep(20)

    server.answers = [send_half]
    began = time.monotonic()

    def on_progress(share: float) -> None:
        if time.monotonic() - began > 1.2:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetch(on_progress=on_progress, limits=Limits())
    assert time.monotonic() - began < 10
    assert not fetch.target.exists()


def test_a_full_disk_is_no_fault_of_the_video(fetch: Fetch) -> None:
    fetch.target.symlink_to("/dev/full")
    with pytest.raises(OSError) as caught:
        fetch()
    assert caught.value.errno == errno.ENOSPC
    assert not fetch.target.is_symlink()


def test_a_host_that_does_not_listen_or_has_no_address_is_tried_three_times(
    fetch: Fetch, server: Server
) -> None:
    def no_such_host(host: str, port: int) -> list[str]:
        fetch.resolved.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    fetch.fails("VIDEO_NOT_REACHABLE", resolve=no_such_host)
    assert len(fetch.resolved) == 3
    fetch.addresses = ["127.0.0.3"]
    fetch.fails("VIDEO_NOT_REACHABLE", is_public=lambda address: True)
    fetch.addresses = []
    fetch.fails("VIDEO_NOT_REACHABLE")
    assert server.requests == []


def test_the_next_address_is_tried_when_one_does_not_answer(fetch: Fetch) -> None:
    fetch.addresses = ["127.0.0.3", "127.0.0.1"]
    assert fetch(is_public=lambda address: True) == VIDEO


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1/\n",
        b"\xef\xbb\xbf\r\n  #extm3u\n",
        b'<?xml version="1.0"?><MPD></MPD>',
        b"<!doctype html><title>Sign in</title>",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"[playlist]\nFile1=http://127.0.0.1/\n",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
    ],
)
def test_a_playlist_with_a_video_s_name_is_refused(fetch: Fetch, server: Server, content: bytes) -> None:
    server.answers = [reply(content, "Content-Type: video/mp4")]
    fetch.fails("VIDEO_PLAYLIST")
    server.answers = [chunked(content[:3], content[3:])]
    fetch.fails("VIDEO_PLAYLIST")


def test_a_uri_that_left_the_list_since_is_not_fetched(fetch: Fetch, server: Server) -> None:
    fetch.fails("VIDEO_URI_NOT_ALLOWED", allowed_prefixes=[])
    assert fetch.resolved == [] and server.requests == []


@pytest.mark.parametrize("scheme", ["gs", "s3"])
def test_a_bucket_is_for_an_orchestrator_that_can_read_it(fetch: Fetch, tmp_path: Path, scheme: str) -> None:
    with pytest.raises(RemoteVideoError, match="VIDEO_NOT_REACHABLE") as caught:
        fetch_video(
            f"{scheme}://acme/one.mp4",
            fetch.target,
            allowed_prefixes=[f"{scheme}://acme/"],
            max_bytes=2**20,
            on_progress=fetch.progress.append,
            resolve=fetch.resolve,
        )
    assert "HTTP orchestrator" in caught.value.message
    assert fetch.resolved == []


def tls_server(server: Server, folder: Path, name: str, seen: list[str | None]) -> Path:
    """Let the server speak TLS as `name`; answers the file of its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "certificate.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.tls.load_cert_chain(pem, folder / "key.pem")
    server.tls.sni_callback = lambda connection, asked, context: seen.append(asked)
    return pem


def test_the_name_of_the_uri_is_what_tls_checks(
    fetch: Fetch, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str | None] = []
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_server(server, tmp_path, "media.test", seen)))
    assert fetch(scheme="https") == VIDEO
    assert seen == ["media.test"]
    fetch.target.unlink()
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_server(server, tmp_path, "evil.test", seen)))
    fetch.fails("VIDEO_NOT_REACHABLE", scheme="https")
    assert len(server.requests) == 1


def test_a_cancelled_fetch_stops_under_tls_too(
    fetch: Fetch, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_server(server, tmp_path, "media.test", [])))
    server.answers = [lambda connection: time.sleep(20)]
    began = time.monotonic()
    calls = []

    def on_progress(share: float) -> None:
        calls.append(share)
        if len(calls) > 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetch(scheme="https", on_progress=on_progress, limits=Limits())
    assert time.monotonic() - began < 10
