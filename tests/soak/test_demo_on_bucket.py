"""The demo, whole, with its files in a bucket."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pypdfium2
import pytest

from tests.s3 import KEYS, client
from tests.served import ROOT, free_port

pytestmark = [pytest.mark.soak, pytest.mark.timeout(400)]

BUCKET, PREFIX = "demo", "some/prefix/"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[str]:
    """The URL of a service that speaks the protocol of S3, in a process of its own."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (tmp_path / "service.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=tmp_path)
    try:
        wait_for(url, process)
        yield url
    finally:
        process.kill()
        process.wait()


def wait_for(url: str, process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None and time.monotonic() < deadline
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return


def test_the_demo_works_with_its_files_in_a_bucket(service: str, tmp_path: Path) -> None:
    client(service).create_bucket(Bucket=BUCKET)
    home, output = tmp_path / "home", tmp_path / "output"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "DJANGO"))},
        **KEYS,
        "AWS_ENDPOINT_URL": service,
        "STEPWRIGHT_HOME": str(home),
        "STEPWRIGHT_STORAGE_URL": f"s3://{BUCKET}/{PREFIX}",
    }
    done = subprocess.run(
        [sys.executable, "tests/demo.py", str(output)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert {path.name for path in output.iterdir()} == {
        *(
            "guide.pdf",
            "guide.zip",
            "guide.html",
            "guide.docx",
            "page.png",
            "annotated.png",
            "transcript.vtt",
        ),
        *("silent.pdf", "silent.png"),
    }
    assert len(pypdfium2.PdfDocument(output / "guide.pdf")) >= 1
    with zipfile.ZipFile(output / "guide.zip") as bundle:
        assert bundle.testzip() is None and "manifest.json" in bundle.namelist()
    pages = client(service).get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
    sizes = {found["Key"]: found["Size"] for page in pages for found in page.get("Contents", ())}
    exported = {(output / f"guide.{suffix}").stat().st_size for suffix in ("pdf", "zip", "html", "docx")}
    assert exported <= set(sizes.values()), "what was exported lies in the bucket"
    assert all(key.startswith(f"{PREFIX}jobs/") for key in keys), "and nothing but what is kept"
