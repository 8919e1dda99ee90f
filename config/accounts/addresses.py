"""Whose request it is, by address: the peer's, or what a proxy of ours says."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

MAX_HOPS = 20  # addresses of X-Forwarded-For that are looked at, from the right
IPV6_PREFIX = 64  # what one subscriber has: an address of its own for each request costs nothing there

Address = IPv4Address | IPv6Address


def client_address(request: HttpRequest) -> str | None:
    """Return the client's address; of an IPv6 address its /64, as `2001:db8::`. None when the peer has none.

    X-Forwarded-For counts only when the peer is one of `STEPWRIGHT_TRUSTED_PROXIES`. Each proxy adds its peer at the
    right, so the rightmost address that is no proxy of ours is the client; what stands left of it anybody may write.
    """
    peer = _parse(request.META.get("REMOTE_ADDR", ""))
    if peer is None:
        return None
    client = peer
    for hop in reversed(request.headers.get("X-Forwarded-For", "").rsplit(",", MAX_HOPS)[-MAX_HOPS:]):
        address = _parse(hop.strip())
        if address is None or not _is_trusted(client):
            break
        client = address
    if isinstance(client, IPv6Address):
        return str(IPv6Network((client, IPV6_PREFIX), strict=False).network_address)
    return str(client)


def is_from_proxy(request: HttpRequest) -> bool:
    """Return whether the request's peer is one of `STEPWRIGHT_TRUSTED_PROXIES`."""
    peer = _parse(request.META.get("REMOTE_ADDR", ""))
    return peer is not None and _is_trusted(peer)


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)
