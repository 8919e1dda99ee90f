"""Stages of the pipeline that answer at once."""

from __future__ import annotations

from typing import Any

import pytest

from jobs import hooks
from tests.factories import DRAFT, TRANSCRIPT

STAGES: dict[str, dict[str, Any]] = {
    "AUDIO_EXTRACTING": {"audio_uri": "gs://x/y"},
    "TRANSCRIBING": {"transcript": TRANSCRIPT},
    "GENERATING": {"draft": DRAFT},
}


@pytest.fixture
def quick_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    for status, updates in STAGES.items():
        monkeypatch.setitem(hooks.STAGES, status, lambda job, lease, updates=updates: dict(updates))
