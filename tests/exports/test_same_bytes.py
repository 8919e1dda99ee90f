"""The same bytes in other processes: seeds of hashes, time zones, locales, clocks, folders, masks and orders differ.

Each document is rendered in a process of each surroundings, next to other documents than in the others. The clock of
Python is set in the process; that of native code by `faketime`, where it is installed.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from exports.renderers import RENDERERS

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-m", "tests.exports.render_generated"]


@dataclass(frozen=True)
class Surroundings:
    """Where a process renders; `clock` is in seconds since 1970, `folder` is where it works."""

    folder: str
    clock: int
    mask: int
    batch: int
    seed: int | None
    variables: dict[str, str] = field(default_factory=dict)

    def order(self, count: int) -> list[int]:
        """Return the numbers of the documents in the order of these surroundings."""
        numbers = list(range(count))
        if self.seed is not None:
            random.Random(self.seed).shuffle(numbers)
        return numbers


SURROUNDINGS = (
    Surroundings("a", 981_173_106, 0o022, 50, None, {"PYTHONHASHSEED": "0", "TZ": "UTC", "LANG": "C.UTF-8"}),
    Surroundings(
        "ordner mit ü, 中 und 'b'/" + "tief/" * 20,
        2**31 + 10,  # a second count of 32 bits has ended
        0o077,
        70,
        1,
        {
            **{"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LANG": "tr_TR.UTF-8"},
            **{"PYTHONUTF8": "1", "PYTHONOPTIMIZE": "1", "COLUMNS": "20", "HOME": "/nonexistent"},
        },
    ),
    Surroundings(
        "c",
        3_981_990_896,  # of 29 February in 2096
        0o000,
        110,
        2,
        {
            **{"PYTHONHASHSEED": "random", "TZ": "America/Caracas", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "1"},
            **{"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},  # files are ASCII where nothing else is said
        },
    ),
)
Hashes = dict[tuple[int, str], set[str]]


def rendered(at: Surroundings, numbers: Sequence[int], folder: Path) -> Iterable[tuple[int, str, str]]:
    """Yield number, format and SHA-256 of each document, rendered in one process that leaves no file."""
    work, temporary = folder / at.folder, folder / "temporary files"
    work.mkdir(parents=True)
    temporary.mkdir()
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(temporary)}
    faketime = shutil.which("faketime")
    now = time.strftime("@%Y-%m-%d %H:%M:%S", time.gmtime(at.clock))
    clock = [faketime, "--exclude-monotonic", "-f", now] if faketime else []
    ended = subprocess.run(
        [*clock, *PROGRAM, str(at.clock), *map(str, numbers)],
        cwd=work,
        env={**kept, **at.variables},
        umask=at.mask,
        capture_output=True,
        encoding="utf-8",
        timeout=160,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    assert not [path for path in work.iterdir() if path.is_file()] and list(temporary.iterdir()) == []
    for line in ended.stdout.splitlines():
        hashes = json.loads(line)
        yield from ((hashes["number"], format, hashes[format]) for format in RENDERERS)


def render_all(count: int, folder: Path, surroundings: Sequence[Surroundings] = SURROUNDINGS) -> Hashes:
    """Return the SHA-256s of each document in each format, rendered once in each surroundings."""
    batches = []
    for at in surroundings:
        order = at.order(count)
        batches += [(at, order[first : first + at.batch]) for first in range(0, count, at.batch)]
    found: Hashes = defaultdict(set)
    times: dict[tuple[int, str], int] = defaultdict(int)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        tasks = [
            threads.submit(lambda *given: list(rendered(*given)), *batch, folder / str(number))
            for number, batch in enumerate(batches)
        ]
        for task in tasks:
            for number, format, sha256 in task.result():
                found[number, format].add(sha256)
                times[number, format] += 1
    assert set(times.values()) == {len(surroundings)} and len(times) == count * len(RENDERERS)
    return found


def assert_one_hash_each(found: Hashes) -> None:
    several = sorted(which for which, hashes in found.items() if len(hashes) > 1)
    assert several == []
    for format in RENDERERS:
        made = [found[which] for which in found if which[1] == format]
        assert len(set.union(*made)) == len(made), "no two documents are the same"


def test_twelve_documents_have_the_same_bytes_in_any_surroundings(tmp_path: Path) -> None:
    assert_one_hash_each(render_all(12, tmp_path))


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_thousand_documents_have_the_same_bytes_in_any_surroundings(tmp_path: Path) -> None:
    assert_one_hash_each(render_all(1_000, tmp_path))
