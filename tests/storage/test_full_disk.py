"""A disk that is really full: a file system of 1 MiB, which a process mounts for itself alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OWN_MOUNTS = ["unshare", "--map-root-user", "--mount"]
WRITER = """
import io, sys
from contextlib import nullcontext
from pathlib import Path
from uuid import uuid4
from config.storage.file_system import FileStorage

storage, content = FileStorage(Path(sys.argv[1]) / "files"), b"x" * 2 * 2**20
for write in (
    lambda: storage.save_bytes(f"jobs/{uuid4()}/", content, suffix=""),
    lambda: storage.receive(
        f"uploads/{uuid4()}/a", io.BytesIO(content), size=len(content), naming=nullcontext()
    ),
):
    try:
        write()
    except OSError as error:
        left = [path.name for path in storage.root.rglob("*") if path.is_file() and path.name != ".lock"]
        print(error.errno, left)
storage.save_bytes(f"jobs/{uuid4()}/", content[: 2**19], suffix="")
print("room again")
"""


def test_what_does_not_fit_leaves_nothing_and_takes_no_room(tmp_path: Path) -> None:
    if subprocess.run([*OWN_MOUNTS, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a file system for a process alone")
    script = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" -c "$3" "$1"'
    command = [*OWN_MOUNTS, "sh", "-ec", script, "sh", str(tmp_path), sys.executable, WRITER]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["28 []", "28 []", "room again"]
