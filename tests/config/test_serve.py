"""`manage.py serve`: what it says when it cannot start. Starting, stopping and kills: tests/soak."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.db.migrations.exceptions import InconsistentMigrationHistory

from config.management.commands import serve


def test_a_database_of_another_version_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def inconsistent(*_: Any, **__: Any) -> None:
        raise InconsistentMigrationHistory("jobs.0001_initial is applied before accounts.0001_initial")

    monkeypatch.setattr(serve, "call_command", inconsistent)
    with pytest.raises(CommandError, match="Move it away, or name another"):
        serve.Command()._migrate(tmp_path)
