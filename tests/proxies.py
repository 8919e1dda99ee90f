"""An environment that names a proxy for every call."""

from __future__ import annotations

import pytest


def through_a_proxy(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name a proxy for every host, this machine too."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, url)
        monkeypatch.setenv(name.lower(), url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
