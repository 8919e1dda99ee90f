"""The list of places that a video's URI may name, and everything that looks like one of them."""

from __future__ import annotations

import ipaddress
import posixpath
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config import environment
from jobs.media.video_uris import RemoteVideoError, check_prefix, check_uri, is_public_address

ROOT = Path(__file__).resolve().parents[3]
PLACE = "https://media.example.com/recordings/"
ALLOWED = [
    PLACE, "http://plain.example.com:8080/", "gs://acme-recordings/", "s3://acme/2026/", "https://8.8.8.8/",
    "https://[2606:4700::1111]/v/", "https://xn--bcher-kva.example/",
]  # fmt: skip


@pytest.mark.parametrize(
    ("uri", "host", "port"),
    [
        (PLACE + "one.mp4", "media.example.com", 443),
        (PLACE + "a%20b/c.mp4?token=..%2F..%2Fx&u=http://x/", "media.example.com", 443),
        ("HTTPS://MEDIA.Example.com:443/recordings/one", "media.example.com", 443),
        ("http://plain.example.com:8080/x.webm", "plain.example.com", 8080),
        ("gs://acme-recordings/Überblick für alle 100%.mp4", "acme-recordings", None),
        ("s3://acme/2026/one.mp4", "acme", None),
        ("https://8.8.8.8/one.mp4", "8.8.8.8", 443),
        ("https://[2606:4700::1111]/v/one.mp4", "2606:4700::1111", 443),
        ("https://xn--bcher-kva.example/one.mp4", "xn--bcher-kva.example", 443),
        (PLACE + "a..b/...mp4", "media.example.com", 443),
    ],
)
def test_what_starts_with_a_prefix_is_taken(uri: str, host: str, port: int | None) -> None:
    found = check_uri(uri, ALLOWED)
    assert (found.host, found.port) == (host, port)
    assert uri.endswith(found.target)


@pytest.mark.parametrize(
    "uri",
    [
        # another place
        "https://media.example.com.evil.com/recordings/one.mp4",
        "https://evil.com/https://media.example.com/recordings/one.mp4",
        "https://media.example.com/other/one.mp4",
        "https://media.example.com/recordings",
        "https://media.example.com/Recordings/one.mp4",
        "https://media.example.com:8443/recordings/one.mp4",
        "http://media.example.com/recordings/one.mp4",
        "http://media.example.com:443/recordings/one.mp4",
        "https://media.example.com./recordings/one.mp4",
        "https://plain.example.com:8080/x.webm",
        "http://plain.example.com/x.webm",
        "gs://acme-recordings.evil/one.mp4",
        "gs://acme/2026/one.mp4",
        "s3://acme/2025/one.mp4",
        "s3://acme-recordings/one.mp4",
        # another host than it looks like
        "https://media.example.com@evil.com/recordings/one.mp4",
        "https://media.example.com:443@evil.com/recordings/one.mp4",
        "https://user:secret@media.example.com/recordings/one.mp4",
        "https://@media.example.com/recordings/one.mp4",
        "https://evil.com\\@media.example.com/recordings/one.mp4",
        "https://media.example.com\\.evil.com/recordings/one.mp4",
        "https://evil.com#@media.example.com/recordings/one.mp4",
        "https://evil.com?@media.example.com/recordings/one.mp4",
        "https://media%2Eexample.com/recordings/one.mp4",
        "https://media.example.com%00.evil.com/recordings/one.mp4",
        "https://média.example.com/recordings/one.mp4",
        "https://media。example.com/recordings/one.mp4",
        "https:///media.example.com/recordings/one.mp4",
        "https:/media.example.com/recordings/one.mp4",
        "https:media.example.com/recordings/one.mp4",
        "//media.example.com/recordings/one.mp4",
        "https://media.example.com:/recordings/one.mp4",
        "https://media.example.com:0/recordings/one.mp4",
        "https://media.example.com:99999/recordings/one.mp4",
        "https://media.example.com:443:80/recordings/one.mp4",
        # out of the folder
        PLACE + "../secret/one.mp4",
        PLACE + "a/../../secret/one.mp4",
        PLACE + "..",
        PLACE + "./one.mp4",
        PLACE + "%2e%2e/secret/one.mp4",
        PLACE + ".%2E/secret/one.mp4",
        PLACE + "..%2fsecret/one.mp4",
        PLACE + "..%5csecret/one.mp4",
        PLACE + "..\\secret\\one.mp4",
        PLACE + "%252e%252e/secret/one.mp4",
        PLACE + "%25252e%25252e/secret/one.mp4",
        PLACE + "%2525252e%2525252e/secret/one.mp4",
        PLACE + "..;/secret/one.mp4",
        PLACE + "..;a=b/secret/one.mp4",
        PLACE + "..%20/secret/one.mp4",
        "gs://acme-recordings/../other/one.mp4",
        "s3://acme/2026/%2e%2e/2025/one.mp4",
        # no form
        PLACE + "one.mp4#t=10",
        PLACE + "one .mp4",
        PLACE + "one\n.mp4",
        PLACE + "one.mp4\r\nX-Header: 1",
        PLACE + "one%0d%0aX.mp4",
        PLACE + "one%00.mp4",
        PLACE + "one\x00.mp4",
        PLACE + "one%zz.mp4",
        PLACE + "one%.mp4",
        PLACE + "‮4pm.eno",
        PLACE + "x" * 2048,
        " " + PLACE + "one.mp4",
        "",
        "one.mp4",
        # other ways to read
        "file:///etc/passwd",
        "file://media.example.com/recordings/one.mp4",
        "ftp://media.example.com/recordings/one.mp4",
        "gopher://media.example.com/recordings/one.mp4",
        "data:video/mp4;base64,AAAA",
        "local://jobs/x/y",
        "concat:https://media.example.com/recordings/one.mp4",
        "hls+https://media.example.com/recordings/one.mp4",
        "gs://acme-recordings/one.mp4?generation=1",
        "gs://acme-recordings@evil/one.mp4",
        "gs://ACME-recordings/one.mp4",
    ],
)
def test_what_only_looks_like_it_is_refused(uri: str) -> None:
    with pytest.raises(RemoteVideoError) as caught:
        check_uri(uri, [*ALLOWED, "https://evil.com./"])
    assert caught.value.code in {"VIDEO_URI_INVALID", "VIDEO_URI_NOT_ALLOWED"}
    assert not caught.value.is_temporary


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "0x7f.1", "0x7f000001", "0x7f.0.0.1",
        "017700000001", "0177.0.0.1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "8.8.8.010", "0x",
        "media.example.0x7f", "127.0.0.1.", "localhost", "a.localhost", "LOCALHOST",
        "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "198.18.0.1", "192.0.2.1",
        "192.0.0.8",
        "192.88.99.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:8.8.8.8]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
        "[64:ff9b::808:808]",
        "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2002:808:808::]", "[2001:0:7f00:1::]", "[2001:db8::1]",
        "[3fff::1]", "[100::1]", "[fc00::1]", "[fd00:ec2::254]",
        "[fe80::1]", "[fec0::1]", "[ff02::1]", "[5f00::1]",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused_whatever_the_list_says(host: str) -> None:
    with pytest.raises(RemoteVideoError) as caught:
        check_uri(f"http://{host}/one.mp4", [f"http://{host}/"])
    assert caught.value.code == "VIDEO_ADDRESS_REFUSED"
    with pytest.raises(ValueError):
        check_prefix(f"https://{host}/")


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public_address(address)


@pytest.mark.parametrize(
    "address", ["", "media.example.com", "fe80::1%eth0", "2606:4700::1111%eth0", "127.1"]
)
def test_what_is_no_plain_address_is_not_public(address: str) -> None:
    assert not is_public_address(address)


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_is_public_through_ipv6(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    carried = (
        number, 0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80,
        0x20010000 << 96 | number << 64, 0x20010000 << 96 | (number ^ 0xFFFFFFFF),
    )  # fmt: skip
    assert not any(is_public_address(str(ipaddress.IPv6Address(value))) for value in carried)


HOSTILE = st.text(st.sampled_from("abc./\\%2eEfF5c@:;?#[]0 \t\r\n\x00é。x"), max_size=30)


@given(HOSTILE)
@example("..%2f..%2fx")
def test_after_the_prefix_other_readers_see_the_same_host_and_folder(rest: str) -> None:
    uri = PLACE + rest
    try:
        check_uri(uri, [PLACE])
    except RemoteVideoError:
        return
    for seen in (urlsplit(uri), httpx.URL(uri)):
        host = seen.hostname if not isinstance(seen, httpx.URL) else seen.host
        assert host == "media.example.com"
        path = seen.path
        for _ in range(4):
            assert posixpath.normpath(path).startswith("/recordings")
            path = unquote(path)


@given(HOSTILE, HOSTILE)
@example("evil.com\\@", "")
def test_whatever_stands_around_the_host_other_readers_see_the_same(before: str, after: str) -> None:
    uri = f"https://{before}media.example.com{after}/recordings/one.mp4"
    try:
        check_uri(uri, [PLACE])
    except RemoteVideoError:
        return
    assert urlsplit(uri).hostname == httpx.URL(uri).host == "media.example.com"


def test_a_prefix_without_its_slash_allows_nothing() -> None:
    with pytest.raises(RemoteVideoError, match="VIDEO_URI_NOT_ALLOWED"):
        check_uri("https://media.example.com/recordings-of-others/one.mp4", [PLACE.rstrip("/")])


@pytest.mark.parametrize("suffix", ["m3u8", "M3U8", "mpd", "pls", "ism/manifest", "m%33u8", "sdp", "m3u8;x"])
def test_playlists_are_refused_by_name(suffix: str) -> None:
    with pytest.raises(RemoteVideoError, match="VIDEO_PLAYLIST"):
        check_uri(f"{PLACE}one.{suffix}", ALLOWED)


@pytest.mark.parametrize("prefix", ALLOWED)
def test_good_prefixes_are_taken(prefix: str) -> None:
    check_prefix(prefix)


@pytest.mark.parametrize(
    "prefix",
    [
        "media.example.com/", "https://media.example.com", "https://media.example.com/recordings", "gs://acme", "https://",
        "https:///", "file:///videos/", "ftp://host/", "https://user@host.example/", "https://host.example/?q=/", "*", "https://*/",
        "https://*.example.com/", "https://host.example/a/../", "gs:///", "local://jobs/", "gs://127.0.0.1/", "https://bücher.example/",
        "https://host.example:99999/", "https://host.example:0/", "https://host..example/", "https://host.example./",
    ],
)  # fmt: skip
def test_a_prefix_that_is_none_is_refused_at_the_start(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWRIGHT_VIDEO_URI_ALLOW", f"{PLACE}, {prefix}")
    with pytest.raises(environment.UnknownValue, match="STEPWRIGHT_VIDEO_URI_ALLOW"):
        environment.read_checked_list("STEPWRIGHT_VIDEO_URI_ALLOW", check_prefix)


def test_the_service_does_not_start_with_a_bad_list(tmp_path: Path) -> None:
    def start(value: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from config import settings; print(settings.VIDEO_URI_ALLOW)"],
            cwd=ROOT,
            env={
                "STEPWRIGHT_HOME": str(tmp_path),
                "DATABASE_URL": "postgresql://db.example.com/x",
                "STEPWRIGHT_VIDEO_URI_ALLOW": value,
                "PATH": "",
            },
            capture_output=True,
            text=True,
        )

    assert start(f"{PLACE}, gs://acme/").stdout.strip() == str([PLACE, "gs://acme/"])
    bad = start("https://169.254.169.254/")
    assert bad.returncode != 0 and "STEPWRIGHT_VIDEO_URI_ALLOW" in bad.stderr.splitlines()[-1]
