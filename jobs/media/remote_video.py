"""Fetch a video from another server, whose name, address and answer are not trusted.

The name of the host is resolved once. If all its addresses are public, the connection is made to one of these, while
`Host` and TLS have the name. A name that resolves differently a moment later (DNS rebinding) has no effect.
There are no redirects, proxies, cookies or compression, as httpcore does none of these by itself.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpcore

from jobs.media.video_uris import (
    PORTS,
    RemoteVideoError,
    VideoUri,
    address_refused,
    check_uri,
    is_public_address,
    playlist,
)

_TICK_S = 1.0  # how often it is checked whether the job was cancelled, while the server is silent
_MAX_ADDRESSES = 4
_HEAD_BYTES = 1024
# The first bytes of playlists and pages: m3u8, pls, ffconcat, sdp; mpd, smil, asx and HTML.
_NO_VIDEO = (b"#ext", b"[playlist]", b"ffconcat", b"v=0", b"<")


@dataclass(frozen=True)
class Limits:
    """Limits in seconds: to connect, of silence, for the whole fetch; and the pauses before each further try."""

    connect_s: float = 5.0
    silence_s: float = 20.0
    whole_s: float = 600.0
    pauses_s: tuple[float, ...] = (1.0, 3.0)


def resolve_host(host: str, port: int) -> list[str]:
    """Return the addresses of the host, in the system's order of preference; raise OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def fetch_video(
    uri: str,
    target: Path,
    *,
    allowed_prefixes: Iterable[str],
    max_bytes: int,
    on_progress: Callable[[float], None],
    is_public: Callable[[str], bool] = is_public_address,
    resolve: Callable[[str, int], list[str]] = resolve_host,
    limits: Limits | None = None,
) -> None:
    """Write the file at an http(s) URI to `target`, in constant memory; after a failure there is no such file.

    `on_progress` is called with the share done (0..1), at least once a second, and may raise to stop the fetch.
    Raise RemoteVideoError: the codes of `check_uri`, VIDEO_NOT_REACHABLE and VIDEO_TOO_LARGE; temporary ones after
    a few tries.
    """
    video = check_uri(uri, allowed_prefixes)
    if video.scheme not in PORTS:
        raise _unreachable(
            f"This service cannot read {video.scheme}:// itself: only an HTTP orchestrator that can may process "
            "this video. Use an https URI, or upload the video."
        )
    limits = limits or Limits()
    watch = _Watch(on_progress, limits)
    network = _CheckedNetwork(resolve, is_public, watch)
    try:
        for pause_s in (*limits.pauses_s, None):
            try:
                _fetch_once(video, target, network, watch, max_bytes)
                break
            except RemoteVideoError as error:
                if pause_s is None or not error.is_temporary:
                    raise
            watch.sleep(pause_s)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


class _Watch:
    """The time limit of the fetch, and its progress."""

    def __init__(self, on_progress: Callable[[float], None], limits: Limits) -> None:
        self.limits, self.share = limits, 0.0
        self._on_progress = on_progress
        self._ends_at = time.monotonic() + limits.whole_s

    def tick(self) -> None:
        """Report the progress; raise RemoteVideoError when the time is over, and what `on_progress` raises."""
        self._on_progress(self.share)
        if time.monotonic() > self._ends_at:
            raise _unreachable("The video's server takes too long to send it. Upload the video instead.")

    def sleep(self, seconds: float) -> None:
        wake_at = time.monotonic() + seconds
        while (left := wake_at - time.monotonic()) > 0:
            self.tick()
            time.sleep(min(left, _TICK_S))


class _CheckedNetwork(httpcore.NetworkBackend):
    """Connects only to addresses that were checked, never to a name."""

    def __init__(
        self, resolve: Callable[[str, int], list[str]], is_public: Callable[[str], bool], watch: _Watch
    ) -> None:
        self._resolve, self._is_public, self._watch = resolve, is_public, watch
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        if not all(self._is_public(address) for address in addresses):
            raise address_refused()
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses[:_MAX_ADDRESSES]:
            self._watch.tick()
            try:
                stream = self._network.connect_tcp(address, port, timeout, local_address, socket_options)
                return _WatchedStream(stream, self._watch)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


class _WatchedStream(httpcore.NetworkStream):
    """A connection that waits for a second at a time, so that the limits hold for silent and for slow servers."""

    def __init__(self, stream: httpcore.NetworkStream, watch: _Watch) -> None:
        self._stream, self._watch = stream, watch

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        silent_until = time.monotonic() + self._watch.limits.silence_s
        while True:
            self._watch.tick()
            try:
                return self._stream.read(max_bytes, min(_TICK_S, self._watch.limits.silence_s))
            except httpcore.ReadTimeout:
                if time.monotonic() >= silent_until:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, *args: Any, **options: Any) -> httpcore.NetworkStream:
        return _WatchedStream(self._stream.start_tls(*args, **options), self._watch)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _fetch_once(
    video: VideoUri, target: Path, network: _CheckedNetwork, watch: _Watch, max_bytes: int
) -> None:
    # Imported here: it takes 20 ms, and most processes never fetch a video.
    from httpx import create_ssl_context

    url = httpcore.URL(scheme=video.scheme, host=video.host, port=video.port, target=video.target)
    name = f"[{video.host}]" if ":" in video.host else video.host
    is_usual_port = video.port == PORTS[video.scheme]
    headers: dict[bytes | str, bytes | str] = {
        "Host": name if is_usual_port else f"{name}:{video.port}",
        "User-Agent": "Stepwright",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    timeouts = {"connect": watch.limits.connect_s, "write": watch.limits.silence_s}
    pool = httpcore.ConnectionPool(ssl_context=create_ssl_context(), network_backend=network)
    with (
        _worded_errors(),
        pool,
        pool.stream("GET", url, headers=headers, extensions={"timeout": timeouts}) as answer,
    ):
        size = _check_head(answer, max_bytes)
        _write_body(answer.iter_stream(), target, watch, size=size, max_bytes=max_bytes)


@contextmanager
def _worded_errors() -> Iterator[None]:
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
        raise _unreachable(
            "The video's server cannot be reached, or breaks off. Check the URI, then retry, or upload the video.",
            is_temporary=True,
        ) from error


def _check_head(answer: httpcore.Response, max_bytes: int) -> int | None:
    """Return the size in bytes that the answer declares, None for a chunked one; raise RemoteVideoError."""
    if 300 <= answer.status < 400:
        raise _unreachable("The video's URI redirects elsewhere, which is not followed. Give the final URI.")
    if answer.status == 429 or answer.status >= 500:
        raise _unreachable(
            f"The video's server is not available now (status {answer.status}). Retry later.",
            is_temporary=True,
        )
    if answer.status != 200:
        raise _unreachable(
            f"The video's server does not give the video (status {answer.status}). Check that the URI is right and "
            "needs no sign-in."
        )
    fields = {name.lower(): value for name, value in answer.headers}
    if b"transfer-encoding" in fields:
        return None
    if b"content-length" not in fields:
        # Without a length, a connection that breaks off looks like the end of the video.
        raise _unreachable("The video's server does not say how long the video is. Upload the video instead.")
    size = int(fields[b"content-length"])
    if size > max_bytes:
        raise _too_large(max_bytes)
    return size


def _write_body(
    chunks: Iterable[bytes], target: Path, watch: _Watch, *, size: int | None, max_bytes: int
) -> None:
    head, written = b"", 0
    with target.open("wb") as file:
        for chunk in chunks:
            written += len(chunk)
            if written > max_bytes:
                raise _too_large(max_bytes)
            if len(head) < _HEAD_BYTES:
                head += chunk[:_HEAD_BYTES]
                if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_NO_VIDEO):
                    raise playlist()
            file.write(chunk)
            watch.share = written / size if size else 0.0
            watch.tick()


def _unreachable(message: str, *, is_temporary: bool = False) -> RemoteVideoError:
    return RemoteVideoError("VIDEO_NOT_REACHABLE", message, is_temporary=is_temporary)


def _too_large(max_bytes: int) -> RemoteVideoError:
    return RemoteVideoError(
        "VIDEO_TOO_LARGE", f"The video is larger than {max_bytes} bytes. Make it shorter or smaller."
    )
