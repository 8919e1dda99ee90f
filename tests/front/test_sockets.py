"""What the front sets on this process's sockets and its limit of open files."""

from __future__ import annotations

import asyncio
import os
import resource
import socket

import pytest

from config.front import connections
from config.front.connections import allow_many_connections, bound_connections


@pytest.mark.parametrize("is_listening", [True, False])
def test_looking_for_the_listening_socket_leaves_no_descriptor(
    is_listening: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "FIND_EVERY", 0.001)
    monkeypatch.setattr(connections, "FIND_WITHIN", 0.005)
    reading, writing = os.pipe()
    with open(os.devnull), socket.socket() as listener, socket.socket(socket.AF_UNIX):
        listener.bind(("127.0.0.1", 0))
        if is_listening:
            listener.listen()
        asyncio.run(bound_connections(7))
        before = os.listdir("/proc/self/fd")
        asyncio.run(bound_connections(7))
        assert len(os.listdir("/proc/self/fd")) == len(before)
        if is_listening:
            assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7000
    os.close(reading)
    os.close(writing)


def test_a_system_that_refuses_many_files_is_served_with_few(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*limits: object) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    allow_many_connections()
