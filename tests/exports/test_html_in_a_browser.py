"""The HTML of a hostile document in Chromium: it starts no script, asks nobody for anything, and shows the words."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from exports.look import Look
from tests.exports.break_out import escaped
from tests.exports.documents import GUIDE, PNG
from tests.exports.html_reading import Page, read_page, result

CHROMIUM = shutil.which("chromium") or ""
# What must be there (STEPWRIGHT_REQUIRE_SERVICES=1) is not skipped: without the program these tests fail then.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHROMIUM and os.environ.get("STEPWRIGHT_REQUIRE_SERVICES") != "1",
        reason="Chromium is not installed",
    ),
]
OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--virtual-time-budget=500"),
]
# Each of these asks the server for something, or starts a script, in a page that holds it as markup.
MARKUP = (
    '<img src="SERVER/picture">',
    '<script>document.title = "started"; fetch("SERVER/script")</script>',
    '<script src="SERVER/script.js"></script>',
    "<img src=x onerror=\"document.title='started'\">",
    "<svg onload=\"document.title='started'\"></svg>",
    '<link rel="stylesheet" href="SERVER/style.css">',
    '<style>body { background: url("SERVER/background") }</style>',
    '<iframe src="SERVER/frame"></iframe>',
    '<video src="SERVER/video" autoplay></video>',
    '<object data="SERVER/object"></object>',
)
POLICY = "Content-Security-Policy"


class Server(ThreadingHTTPServer):
    """Answers everything with nothing, and keeps the paths that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def opened(content: bytes, folder: Path, option: str) -> bytes:
    """Return what Chromium prints of a page half a second after it was loaded."""
    page = folder / "page.html"
    page.write_bytes(content)
    command = [CHROMIUM, *OPTIONS, option, f"--user-data-dir={folder / 'profile'}", page.as_uri()]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


def shown(content: bytes, folder: Path) -> Page:
    """Return what Chromium has made of a page: its elements and their words."""
    return read_page(opened(content, folder, "--dump-dom").removesuffix(b"\n"))


def looks(content: bytes, folder: Path) -> bytes:
    """Return the pixels of a page on a screen."""
    opened(content, folder, f"--screenshot={folder / 'page.png'}")
    with Image.open(folder / "page.png") as picture:
        return picture.convert("RGB").tobytes()


def hostile(server: Server) -> bytes:
    """Return the page of a document that has this markup wherever it has text."""
    texts = [markup.replace("SERVER", server.address) for markup in MARKUP]
    texts += [
        "</style></title></pre><plaintext>",
        f'"><meta http-equiv=refresh content="0;{server.address}">',
    ]
    blocks = []
    for number, text in enumerate(texts):
        blocks += [
            f"## {escaped(text)}",
            f"### Step {number}: {escaped(text)}",
            text,
            f"x {text}",
            f"- {text}",
        ]
        blocks += [f"`` {text} ``", f"```\n{text}\n```", f"| {escaped(text)} |\n| - |\n| {text} |"]
        blocks += [f"[{escaped(text)}](<{server.address}/{text}>)", f"![{escaped(text)}]({server.address}/i)"]
    everything = " ".join(texts)
    title, look = f"T {everything}", Look(footer=texts[1])
    return result("\n\n".join(blocks), (None, PNG), title=title, alt=everything, look=look).content


@pytest.mark.parametrize("has_policy", [True, False])
def test_the_page_asks_nobody_and_is_what_was_written(
    server: Server, tmp_path: Path, has_policy: bool
) -> None:
    """Without its policy too: what was typed has not become markup in the first place."""
    content = hostile(server)
    if not has_policy:
        content = content.replace(POLICY.encode(), b"X-Nothing")
    page = shown(content, tmp_path)
    assert server.asked == []
    # The tree that Chromium built, written out again: the same elements with the same words, title and all.
    assert page.elements == read_page(content).elements
    assert page.main.count('<script>document.title = "started"') >= 5


@pytest.mark.parametrize("has_policy", [True, False])
def test_the_policy_stops_markup_that_got_into_a_page(
    server: Server, tmp_path: Path, has_policy: bool
) -> None:
    """Without the policy it is not stopped: what these tests look at is there to be seen."""
    markup = "".join(MARKUP).replace("SERVER", server.address)
    content = result("# T\n\nMARKUP\n").content.replace(b"MARKUP", markup.encode())
    if not has_policy:
        content = content.replace(POLICY.encode(), b"X-Nothing")
    page = shown(content, tmp_path)
    expected = {
        "/picture",
        "/script",
        "/script.js",
        "/style.css",
        "/background",
        "/frame",
        "/video",
        "/object",
    }
    assert set(server.asked) == (set() if has_policy else expected)
    assert page.all("title")[0].text == ("T" if has_policy else "started")


def test_the_policy_lets_our_stylesheet_through_and_no_other(tmp_path: Path) -> None:
    content = result(GUIDE, (None, PNG)).content
    styled = looks(content, tmp_path)
    assert styled == looks(content.replace(POLICY.encode(), b"X-Nothing"), tmp_path)
    assert styled != looks(content.replace(b"<style>", b"<style> "), tmp_path)
