"""What the operating system keeps of connections: how many there may be, and how long one may not move."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import socket
import sys
from collections.abc import Iterator

log = logging.getLogger(__name__)

UNSENT = 128 * 1024  # bytes, which the kernel takes for a client that does not read
FIND_EVERY, FIND_WITHIN = 0.05, 10.0  # seconds


def allow_many_connections() -> None:
    """Raise the limit of open files to the most that this user may have; often 1,024 stands before it.

    Where the system refuses (some take no infinite limit), the limit stays as it is.
    """
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (ValueError, OSError) as error:
        log.warning("the limit of open files stays at %s: %s", now, error)


async def bound_connections(seconds: float) -> None:
    """Have the kernel end each connection whose client takes nothing of what is sent for so many seconds.

    When we give up an answer, the server still waits for the client to take what it has in its buffers, for ever.
    Accepted sockets inherit the options of the listening one, which the server makes shortly after its start.
    """
    if sys.platform != "linux":
        return
    for _ in range(int(FIND_WITHIN / FIND_EVERY)):
        found = list(_listeners())
        for listener in found:
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
            listener.close()
        if found:
            return
        await asyncio.sleep(FIND_EVERY)
    log.warning("found no listening socket; clients that take nothing keep their connections")


def _listeners() -> Iterator[socket.socket]:
    """Yield the listening TCP sockets of this process."""
    for name in os.listdir("/proc/self/fd"):
        try:
            if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                continue
            descriptor = os.dup(int(name))
        except OSError:
            continue  # closed meanwhile
        try:
            candidate = socket.socket(fileno=descriptor)
        except OSError:
            os.close(descriptor)
            continue  # reused meanwhile, and no socket any more
        is_tcp = candidate.family in (socket.AF_INET, socket.AF_INET6)
        if is_tcp and candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            yield candidate
        else:
            candidate.close()
