"""Files are for the service's own user alone."""

from __future__ import annotations

import stat
from pathlib import Path
from uuid import uuid4

from config.storage import kept_folder
from config.storage.file_system import FileStorage


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_root_and_the_files_are_open_to_nobody_else(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "files")
    stored = storage.save_bytes(kept_folder(uuid4()), b"a recording", suffix=".bin")
    assert mode(tmp_path / "files") == 0o700
    with storage.local_path(stored.uri) as path:
        assert mode(path) == 0o600


def test_a_check_of_a_new_storage_makes_its_root_for_us_alone(tmp_path: Path) -> None:
    FileStorage(tmp_path / "files").check()
    assert mode(tmp_path / "files") == 0o700
    assert not list((tmp_path / "files").iterdir())
