"""An upload to the storage of this machine: its rate beside `cp`, and what the web process holds of memory."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import psutil

from config import environment
from config.storage import storage
from tests.bench.load import ratio
from tests.bench.results import Result, at_least, at_most
from tests.bench.service import Server, serving, token

MIB, GIB = 2**20, 2**30
SIZE = int(float(os.environ.get("UPLOAD_GIB", "1")) * GIB)
TURNS = 3
MAX_GROWTH_MIB = 64
MIME_TYPE = "video/mp4"


def measure() -> Iterator[Result]:
    """One copy and one upload after the other, of the same file, to the same disk."""
    with serving() as server, tempfile.TemporaryDirectory(dir=environment.home()) as folder:
        source = Path(folder) / "recording.mp4"
        write_file(source)
        upload(server, source, 2**20)  # what the first request brings into memory for ever is no growth
        rates: dict[str, list[float]] = {"ours": [], "cp": [], "cp_unsynced": []}
        with watched(server) as growth:
            for _ in range(TURNS):
                rates["cp"].append(copy(source, is_synced=True))
                rates["ours"].append(upload(server, source, SIZE))
                rates["cp_unsynced"].append(copy(source, is_synced=False))
    name = f"Upload of {SIZE / GIB:g} GiB"
    facts: dict[str, Any] = {
        f"{side}_mib_a_second": round(median(found) / MIB) for side, found in rates.items()
    }
    facts["to_cp_unsynced"] = ratio(rates["ours"], rates["cp_unsynced"])
    value = ratio(rates["ours"], rates["cp"])
    yield at_least(f"{name}: rate", value, 0.7, "× cp to the disk", **facts)
    yield at_most(f"{name}: memory of a web process", round(max(growth), 1), MAX_GROWTH_MIB, "MiB more")


def write_file(path: Path) -> None:
    piece = os.urandom(MIB)
    with path.open("wb") as file:
        for _ in range(SIZE // MIB):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def copy(source: Path, *, is_synced: bool) -> float:
    """Return the bytes a second of `cp`; synced, until all is on the disk, as it is when an upload is answered."""
    target = source.with_suffix(".copy")
    began = time.monotonic()
    subprocess.run(["cp", "--reflink=never", source, target], check=True)
    if is_synced:
        subprocess.run(["sync", target], check=True)
    seconds = time.monotonic() - began
    target.unlink()
    return SIZE / seconds


def upload(server: Server, source: Path, size: int) -> float:
    """Return the bytes a second of the first `size` bytes of a file, for a new job; what is stored is removed."""
    signed_in = {"Authorization": f"Bearer {token()}", "Content-Type": "application/json"}

    def post(path: str, body: dict[str, Any]) -> Any:
        status, _, content = server.ask("POST", f"/api/v1{path}", json.dumps(body).encode(), signed_in)
        assert status == 201, content
        return json.loads(content)

    project = post("/projects", {"name": "Upload"})
    job = post(f"/projects/{project['id']}/jobs", {})
    about = {"filename": source.name, "size_bytes": size, "mime_type": MIME_TYPE}
    ticket = post(f"/jobs/{job['id']}/upload", about)
    seconds = put(server, urlsplit(ticket["upload_url"]).path, source, size)
    uri = ticket["video_uri"]
    assert storage().size(uri) == size
    storage().delete(uri)
    return size / seconds


def put(server: Server, path: str, source: Path, size: int) -> float:
    """Return the seconds until the PUT is answered. The kernel moves the bytes, so that the client costs little."""
    lines = (
        f"PUT {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: {MIME_TYPE}",
        f"Content-Length: {size}",
    )
    with source.open("rb") as file, socket.create_connection(("127.0.0.1", server.port)) as connection:
        began = time.monotonic()
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        connection.sendfile(file, count=size)
        answer = connection.recv(65536)
        seconds = time.monotonic() - began
    assert answer.startswith(b"HTTP/1.1 204"), answer
    return seconds


@contextmanager
def watched(server: Server) -> Iterator[list[float]]:
    """Yield a list that gets the MiB that a process of the server has more than at the beginning, many times."""
    before = {process.pid: process.memory_info().rss for process in server.processes()}
    growth: list[float] = [0.0]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            grown = (psutil.Process(pid).memory_info().rss - rss for pid, rss in before.items())
            growth.append(max(grown) / MIB)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield growth
    finally:
        ended.set()
        thread.join()
