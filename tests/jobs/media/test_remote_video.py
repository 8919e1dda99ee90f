"""Fetching a video from elsewhere, against real servers on sockets that answer well, badly and with intent."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from jobs.media.remote_video import fetch_video, resolve_host
from jobs.media.video_uris import RemoteVideoError, is_public_address
from tests.jobs.media.fetching import VIDEO, Fetch
from tests.jobs.media.media_server import Server, chunked, reply, serving

pytestmark = pytest.mark.slow


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


def test_a_host_that_cannot_be_reached_or_found_is_tried_three_times(fetch: Fetch, server: Server) -> None:
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
