"""An upload to the storage of this machine: its rate beside `cp`, and what the web process holds of memory."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from config import environment
from tests.bench.load import ratio
from tests.bench.results import Result, at_least, at_most
from tests.bench.service import Server, make_user_token, serving

GIB = 2**30
SIZE = int(float(os.environ.get("UPLOAD_GIB", "1")) * GIB)
TURNS = 3
MAX_GROWTH_MIB = 64
MIME_TYPE = "video/mp4"


def measure() -> Iterator[Result]:
    with serving() as server, tempfile.TemporaryDirectory(dir=environment.home()) as folder:
        source = Path(folder) / "recording.mp4"
        write_file(source)
        client = Client(server)
        client.put(client.ticket(2**20), source, 2**20)  # what the first request ever brings into memory is no growth
        rates: dict[str, list[float]] = {"ours": [], "cp": [], "cp_in_memory": []}
        with watched(server) as growth:
            for _ in range(TURNS):
                ticket = client.ticket(SIZE)
                rates["ours"].append(rate(lambda: client.put(ticket, source, SIZE)))
                rates["cp"].append(rate(lambda: copy(source, sync=True)))
                rates["cp_in_memory"].append(rate(lambda: copy(source, sync=False)))
                client.delete_files()
    name = f"Upload of {SIZE / GIB:g} GiB"
    facts = {f"{side}_mib_a_second": round(max(found)) for side, found in rates.items()}
    facts |= {"ratio_to_cp_in_memory": ratio(rates["ours"], rates["cp_in_memory"])}  # type: ignore[dict-item]
    unit = "× cp to the disk"
    yield at_least(f"{name}: rate", ratio(rates["ours"], rates["cp"]), 0.7, unit, **facts)
    yield at_most(f"{name}: memory of a web process", growth(), MAX_GROWTH_MIB, "MiB more")
