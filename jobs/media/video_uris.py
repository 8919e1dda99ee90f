"""Check the URI of a video outside our own storage, and the addresses to connect to.

A URI that two programs might read differently is refused, not corrected: user info, backslashes, dots that lead out
of a folder, unusual spellings of addresses. References: RFC 3986 for the form, the IANA special-purpose registries
(RFC 6890) for addresses.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

PORTS = {"https": 443, "http": 80}
BUCKETS = ("gs", "s3")
MAX_URI_CHARACTERS = 2048
# Files that name other files or hosts.
PLAYLISTS = (
    ".m3u8", ".m3u", ".mpd", ".ism", ".isml", ".f4m", ".pls", ".xspf", ".asx", ".wax", ".wvx", ".wpl", ".ram",
    ".smil", ".sdp", ".strm", ".ffconcat", ".concat",
)  # fmt: skip

_SHAPE = re.compile(r"([A-Za-z0-9+.-]+)://([^/?#]*)([^?#]*)(?:\?([^#]*))?\Z")
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+\Z")
_AUTHORITY = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::([0-9]{1,5}))?\Z")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_BUCKET = re.compile(r"(?![0-9.]+\.[0-9]+\Z)[a-z0-9][a-z0-9._-]{1,221}\Z")  # no dotted quad
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
_MAX_DECODINGS = 3  # a path that is still encoded after these is no file name

# Reserved for protocols (RFC 6890) and for 6to4 relays (RFC 7526), but global according to `ipaddress`.
_REFUSED_V4 = [ipaddress.IPv4Network(net) for net in ("192.0.0.0/24", "192.88.99.0/24")]
# All assigned unicast addresses are in 2000::/3. Outside it are loopback, local and multicast addresses, and those
# that contain an IPv4 address: mapped (::ffff:0:0/96) and NAT64 (64:ff9b::/96, 64:ff9b:1::/48).
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
# Teredo and other protocols, documentation (both), 6to4.
_REFUSED_V6 = [ipaddress.IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "3fff::/20", "2002::/16")]


class RemoteVideoError(Exception):
    """A video that cannot be fetched. `message` is for a person and contains no address; if the error is temporary,
    the same call may succeed later."""

    def __init__(self, code: str, message: str, *, is_temporary: bool = False) -> None:
        super().__init__(code)
        self.code, self.message, self.is_temporary = code, message, is_temporary


@dataclass(frozen=True)
class VideoUri:
    """The parts of a URI. `host` is in lower case, an IPv6 address without brackets, or the name of a bucket, which
    has no port; `target` is path and query as they were given."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str | None

    @property
    def target(self) -> str:
        return self.path if self.query is None else f"{self.path}?{self.query}"


def check_uri(uri: str, allowed_prefixes: Iterable[str]) -> VideoUri:
    """Return the parts of a video's URI that starts with an allowed prefix, without connecting to it.

    Raise RemoteVideoError: VIDEO_URI_INVALID, VIDEO_PLAYLIST, VIDEO_ADDRESS_REFUSED, VIDEO_URI_NOT_ALLOWED.
    """
    found = _parse(uri)
    for segment in unquote(found.path).lower().split("/"):
        if segment.partition(";")[0].endswith(PLAYLISTS):
            raise playlist()
    if not any(_is_under(found, _parse(prefix)) for prefix in allowed_prefixes):
        raise RemoteVideoError(
            "VIDEO_URI_NOT_ALLOWED",
            "This service takes no videos from this place. Upload the video, or ask the operator to allow the place.",
        )
    return found


def check_prefix(prefix: str) -> None:
    """Raise ValueError, with the reason, for a prefix of other form than `https://HOST/` or `gs://BUCKET/FOLDER/`."""
    try:
        found = _parse(prefix)
    except RemoteVideoError as error:
        raise ValueError(error.message) from error
    if not found.path.endswith("/") or found.query is not None:
        raise ValueError("It must end with a slash, such as https://media.example.com/recordings/.")


def is_public_address(address: str) -> bool:
    """Return whether a numeric address is public. IPv6 addresses that contain an IPv4 address are not."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return found.is_global and not found.is_multicast and not any(found in net for net in _REFUSED_V4)
    if found.scope_id or found not in _UNICAST_V6:
        return False
    return not any(found in net for net in _REFUSED_V6)


def playlist() -> RemoteVideoError:
    return RemoteVideoError(
        "VIDEO_PLAYLIST", "This is a playlist or a page, not a video. Give the URI of the video file itself."
    )


def address_refused() -> RemoteVideoError:
    return RemoteVideoError(
        "VIDEO_ADDRESS_REFUSED",
        "The video lies at an address that is not public, and such are never fetched from. Upload the video instead.",
    )


def _is_under(uri: VideoUri, prefix: VideoUri) -> bool:
    same_place = (uri.scheme, uri.host, uri.port) == (prefix.scheme, prefix.host, prefix.port)
    return same_place and prefix.path.endswith("/") and uri.path.startswith(prefix.path)


def _parse(uri: str) -> VideoUri:
    shape = _SHAPE.match(uri) if len(uri) <= MAX_URI_CHARACTERS else None
    if shape is None:
        raise _invalid("This is not a URI of a video, such as https://media.example.com/recordings/one.mp4.")
    scheme, authority, path, query = shape[1].lower(), shape[2], shape[3], shape[4]
    if scheme in PORTS:
        if not _URL_CHARACTERS.match(uri):
            raise _invalid("Write a host in its xn-- form, and other characters of the URI percent-encoded.")
        host, port = _host_and_port(authority, PORTS[scheme])
    elif scheme in BUCKETS:
        host, port = authority, None
        if not _BUCKET.match(authority) or query is not None:
            raise _invalid("Give the URI of a file in a bucket, such as gs://BUCKET/FOLDER/one.mp4.")
    else:
        raise _invalid("A video's URI starts with https:, http:, gs: or s3:.")
    _check_path(path, is_encoded=scheme in PORTS)
    return VideoUri(scheme, host, port, path, query)


def _host_and_port(authority: str, default_port: int) -> tuple[str, int]:
    parts = _AUTHORITY.match(authority.lower())
    if parts is None:
        raise _invalid(
            "A video's URI names a host, without user and password, and nothing else before the path."
        )
    address, name, port = parts[1], parts[2], int(parts[3] or default_port)
    if not 1 <= port <= 65535:
        raise _invalid("The port of this URI is not one.")
    if address is None and not _is_number(name):
        labels = name.split(".")
        if labels[-1] == "localhost":
            raise address_refused()
        if len(name) > 253 or not all(_LABEL.match(label) for label in labels):
            raise _invalid("The host of this URI is not one.")
    elif not is_public_address(address or name):
        raise address_refused()  # also 127.1, 0x7f.0.0.1 and 2130706433, which some resolvers understand
    return address or name, port


def _is_number(host: str) -> bool:
    """Return whether a resolver may read the host as an IPv4 address (WHATWG URL standard, "ends in a number")."""
    return bool(_NUMBER.match(host.rstrip(".").rpartition(".")[2]))


def _check_path(path: str, *, is_encoded: bool) -> None:
    if is_encoded and re.search(r"%(?![0-9A-Fa-f]{2})", path):
        raise _invalid("A percent sign in this URI is followed by no hexadecimal number.")
    for _ in range(_MAX_DECODINGS):
        # To some servers, what follows a semicolon is a parameter: `..;x` leads out of a folder as `..` does.
        folders = [segment.partition(";")[0].strip() for segment in path.split("/")]
        if not path.isprintable() or "\\" in path or "." in folders or ".." in folders:
            raise _invalid(
                "The path of this URI has parts that may lead elsewhere, such as a folder named `..`."
            )
        if (decoded := unquote(path)) == path:
            return
        path = decoded
    raise _invalid("The path of this URI is percent-encoded more than once.")


def _invalid(message: str) -> RemoteVideoError:
    return RemoteVideoError("VIDEO_URI_INVALID", message)
