"""Fetches by a name that resolves to this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs.media.remote_video import Limits, fetch_video
from jobs.media.video_uris import RemoteVideoError

VIDEO = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 40


QUICK = Limits(silence_s=10, whole_s=40, pauses_s=(0.01, 0.01))


class Fetch:
    """Fetches by a name that resolves to this machine, which counts as public unless told otherwise."""

    def __init__(self, folder: Path, port: int) -> None:
        self.target, self.port = folder / "video", port
        self.addresses: list[str] = ["127.0.0.1"]
        self.resolved: list[str] = []
        self.progress: list[float] = []

    def __call__(self, path: str = "/recordings/one.mp4", *, scheme: str = "http", **options: Any) -> bytes:
        place = f"{scheme}://media.test:{self.port}"
        given: dict[str, Any] = {
            "allowed_prefixes": [f"{place}/recordings/"],
            "max_bytes": 2**20,
            "on_progress": self.progress.append,
            "is_public": lambda address: address == "127.0.0.1",
            "resolve": self.resolve,
            "limits": QUICK,
        }
        fetch_video(place + path, self.target, **{**given, **options})
        return self.target.read_bytes()

    def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        return self.addresses

    def fails(self, code: str, **options: Any) -> str:
        """Answers the sentence, which names no address; and nothing is left on the disk."""
        with pytest.raises(RemoteVideoError) as caught:
            self(**options)
        assert caught.value.code == code, caught.value.message
        assert not self.target.exists()
        for inside in ("127.0", "media.test", str(self.port), "secrets"):
            assert inside not in caught.value.message
        return caught.value.message


class Cancelled(Exception):
    pass
