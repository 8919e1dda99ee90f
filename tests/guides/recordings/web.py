"""Pages in Chromium: served on loopback, and asked through ChromeDriver where their controls are."""

from __future__ import annotations

import functools
import http.server
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from tests.guides.recordings.stage import Box, Control

FLAGS = (
    "--no-sandbox",
    "--test-type",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    "--password-store=basic",
    "--window-position=0,0",
)
# The page's own script that tells where things are, also those that should be hidden; it is put into every page.
WATCH = (Path(__file__).resolve().parent / "pages" / "watch.js").read_text()


class Pages:
    """Chromium with a page of a folder. `name` is the host name in its address bar."""

    def __init__(self, page: Path, name: str, size: tuple[int, int], dark: bool = False) -> None:
        handler = functools.partial(_Quiet, directory=str(page.parent))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._profile = tempfile.TemporaryDirectory()
        port = self._server.server_port
        self._flags = [
            *FLAGS,
            f"--user-data-dir={self._profile.name}",
            f"--window-size={size[0]},{size[1]}",
            f"--host-resolver-rules=MAP {name} 127.0.0.1:{port}",
            *(["--force-dark-mode"] if dark else []),
        ]
        self._url = f"http://{name}/{page.name}"

    def __enter__(self) -> Pages:
        with http.server.HTTPServer(("127.0.0.1", 0), _Quiet) as free:
            port = free.server_port
        self._driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL)
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)
        self._wait_for_driver()
        options = {"args": self._flags, "excludeSwitches": ["enable-automation"]}
        options["prefs"] = {"credentials_enable_service": False}
        wanted = {"alwaysMatch": {"goog:chromeOptions": options}}
        self._session = f"/session/{self._call('/session', capabilities=wanted)['sessionId']}"
        self._call(
            f"{self._session}/goog/cdp/execute",
            cmd="Page.addScriptToEvaluateOnNewDocument",
            params={"source": WATCH},
        )
        self._call(f"{self._session}/url", url=self._url)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.delete(self._session)
        self._driver.terminate()
        self._driver.wait(10)
        self._server.shutdown()
        self._profile.cleanup()

    def perform(self, play: Callable[[], None]) -> None:
        play()

    def find(self, name: str) -> Control | None:
        """Return a control by its CSS selector."""
        found = self.ask("return stage.find(arguments[0])", name)
        return Control(found["label"], _box(found["box"])) if found else None

    def seen(self) -> list[tuple[float, list[dict[str, Any]]]]:
        return [
            (at / 1000, [{**each, "box": _box(each["box"])} for each in shown])
            for at, shown in self.ask("return stage.seen")
        ]

    def ask(self, script: str, *arguments: Any) -> Any:
        return self._call(f"{self._session}/execute/sync", script=script, args=list(arguments))

    def _call(self, path: str, **content: Any) -> Any:
        answer = self._client.post(path, json=content).json()["value"]
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(f"ChromeDriver: {answer['message']}")
        return answer

    def _wait_for_driver(self) -> None:
        for _ in range(100):
            try:
                self._client.get("/status")
                return
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError("ChromeDriver does not start")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of each request."""


def _box(values: list[float]) -> Box:
    x, y, width, height = values
    return x, y, width, height
