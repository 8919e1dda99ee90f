"""The same annotations give the same bytes in every process, whatever its surroundings are."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from anchors.render import render_annotations
from tests.anchors.pictures import EVERYTHING, POINTS, encoded, op, plain, screen

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import hashlib, json, locale, os, sys, threading
locale.setlocale(locale.LC_ALL, "")
os.umask(int(os.environ.get("MASK", "022"), 8))
from anchors.render import render_annotations
cases = [(bytes.fromhex(base), operations) for base, operations in json.load(sys.stdin)]
found = {}
def draw(number):
    found[number] = [hashlib.sha256(render_annotations(*case)).hexdigest() for case in cases]
threads = [threading.Thread(target=draw, args=(n,)) for n in range(int(os.environ.get("THREADS", "1")))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps(list(found.values())))
"""
SURROUNDINGS: dict[str, dict[str, str]] = {
    "hash seed 0": {"PYTHONHASHSEED": "0"},
    "hash seed 1": {"PYTHONHASHSEED": "1"},
    "hash seed 4294967295": {"PYTHONHASHSEED": "4294967295"},
    "locale C": {"LC_ALL": "C", "LANG": "C"},
    "locale C without UTF-8": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "time zone east": {"TZ": "Pacific/Kiritimati"},
    "time zone west": {"TZ": "Etc/GMT+12"},
    "umask 0": {"MASK": "000"},
    "umask 077": {"MASK": "077"},
    "one thread for all": {"OMP_NUM_THREADS": "1"},
    "many threads": {"OMP_NUM_THREADS": "8", "THREADS": "6"},
    "optimised": {"PYTHONOPTIMIZE": "2"},
    "no home": {"HOME": "/nowhere"},
}


def cases() -> list[tuple[bytes, list[dict[str, Any]]]]:
    """Every operation, every mode of blur, and texts of many scripts, on a PNG, a JPEG and a WebP."""
    texts = ["日本語の画面", "한국어 汉字 漢字", "👉🏽 ✅ 🎉", "שלום 12", "Größe İıĞş", "नमस्ते ไทย"]
    hidden = [op("blur", mode=mode, strength=3) for mode in ("pixelate", "solid", "gaussian")]
    written = [op("text", {"x": 0.05, "y": 0.1 + at / 8}, text=text) for at, text in enumerate(texts)]
    labels = [op("badge", label=label, size=0.1) for label in ("1", "88", "日")]
    strokes = [op("marker", POINTS), op("pencil", thickness=0.03), op("box", radius=0.1), op("arrow")]
    return [
        (encoded(screen()), EVERYTHING),
        (encoded(screen(), "JPEG"), [*written, *hidden, *labels]),
        (encoded(screen(), "WEBP"), [*hidden, *strokes, *written, op("crop")]),
        (plain("#101010", (1280, 720)), [*strokes, *written, *hidden, *labels]),
    ]


@cache
def expected() -> list[str]:
    return [hashlib.sha256(render_annotations(*case)).hexdigest() for case in cases()]


def hashes(folder: Path, **environment: str) -> list[list[str]]:
    """Return what each thread of a process of its own gets, which runs in a folder."""
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps([(base.hex(), operations) for base, operations in cases()]),
        env={"PYTHONPATH": ":".join([str(ROOT), *filter(None, sys.path)]), "PATH": os.environ["PATH"]}
        | environment,
        cwd=folder,
        capture_output=True,
        encoding="ascii",
        timeout=100,
    )
    assert not answer.returncode, answer.stderr
    threads: list[list[str]] = json.loads(answer.stdout)
    return threads


@pytest.fixture(scope="session")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the locales that are asked for, which few machines have."""
    folder = tmp_path_factory.mktemp("locales")
    for name in ("de_DE", "tr_TR"):
        command = ["localedef", "--no-archive", "-i", name, "-f", "UTF-8", str(folder / f"{name}.UTF-8")]
        if shutil.which("localedef") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("this machine cannot make locales")
    return folder


@pytest.mark.parametrize("name", ["de_DE.UTF-8", "tr_TR.UTF-8"])
def test_the_bytes_do_not_depend_on_the_language(name: str, locales: Path) -> None:
    assert hashes(ROOT, LC_ALL=name, LOCPATH=str(locales)) == [expected()]


@pytest.mark.parametrize("environment", SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_the_bytes_do_not_depend_on_the_surroundings(environment: dict[str, str]) -> None:
    threads = hashes(ROOT, **environment)
    assert threads == [expected()] * int(environment.get("THREADS", "1"))


def test_the_bytes_do_not_depend_on_the_working_directory(tmp_path: Path) -> None:
    for folder in (Path("/"), tmp_path):
        assert hashes(folder) == [expected()]


def test_the_bytes_do_not_depend_on_what_was_drawn_before() -> None:
    """Fonts are kept from one drawing to the next, with the weight that was set last."""
    in_reverse = [hashlib.sha256(render_annotations(*case)).hexdigest() for case in reversed(cases())]
    assert in_reverse[::-1] == expected()
