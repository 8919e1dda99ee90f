"""Whose address counts, in front of and behind proxies."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from django.test import RequestFactory

from config.accounts.addresses import client_address

PROXIES = ["10.0.0.0/8", "2001:db8:f::/48"]


def address(peer: str, forwarded: str | None = None) -> str | None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory(REMOTE_ADDR=peer).get("/", headers=headers))


def test_without_proxies_of_ours_nobodys_word_counts(settings: Any) -> None:
    settings.TRUSTED_PROXIES = []
    assert address("192.0.2.1", "203.0.113.9") == "192.0.2.1"
    assert address("127.0.0.1", "203.0.113.9") == "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),  # the peer is no proxy of ours
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the left one was made up
        ("10.0.0.1", "10.0.0.7, 203.0.113.9", "203.0.113.9"),  # so was that
        ("10.0.0.1", "198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9,10.0.0.3 , 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"),
        ("10.0.0.1", "unknown, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2\t", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("2001:db8:f::1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:f::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("10.0.0.1", ", ".join(["203.0.113.9"] + ["10.0.0.2"] * 5000), "10.0.0.2"),
        ("", "203.0.113.9", None),
    ],
)
def test_the_rightmost_address_that_is_no_proxy_counts(
    settings: Any, peer: str, forwarded: str | None, client: str | None
) -> None:
    settings.TRUSTED_PROXIES = [ip_network(part) for part in PROXIES]
    assert address(peer, forwarded) == client
