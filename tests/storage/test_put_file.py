"""PUT to a ticket's URL: what is stored, and that nothing is left half done."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.factories import Api, make_job
from tests.uploads import BODY, put


def test_an_upload_over_its_limit_is_413_and_leaves_nothing(owner: Api, storage_folder: Path) -> None:
    """A ticket takes as many bytes as were declared for it, and no more."""
    path = f"/jobs/{make_job(owner=owner.user).pk}/upload"
    ticket = owner.post(path, {**BODY, "size_bytes": 100}).json()
    assert ticket["max_size_bytes"] == 100
    assert put(ticket["upload_url"], b"x" * 101).status_code == 413
    assert not [path for path in storage_folder.rglob("*") if path.is_file()]


def test_a_full_disk_is_507_and_leaves_nothing(
    owner: Api, storage_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    ticket = owner.post(f"/jobs/{make_job(owner=owner.user).pk}/upload", BODY).json()
    monkeypatch.setattr(os, "fsync", full)
    response = put(ticket["upload_url"], b"x")
    assert (response.status_code, response.json()["code"]) == (507, "STORAGE_FULL")
    assert not [path for path in storage_folder.rglob("*") if path.is_file()]
    monkeypatch.undo()
    assert put(ticket["upload_url"], b"x").status_code == 204


def test_a_ticket_ends(owner: Api, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.UPLOAD_URL_SECONDS = -1
    ticket = owner.post(f"/jobs/{make_job(owner=owner.user).pk}/upload", BODY).json()
    assert put(ticket["upload_url"], b"x").status_code == 404
