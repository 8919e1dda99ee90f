"""`manage.py serve`: what it says when it cannot start. Starting, stopping and kills: tests/soak."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.db.migrations.exceptions import InconsistentMigrationHistory

from config.management.commands import serve
from tests.served import free_port


def test_a_database_of_another_version_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def inconsistent(*_: Any, **__: Any) -> None:
        raise InconsistentMigrationHistory("jobs.0001_initial is applied before accounts.0001_initial")

    monkeypatch.setattr(serve, "call_command", inconsistent)
    with pytest.raises(CommandError, match="Move it away, or name another"):
        serve.Command()._migrate(tmp_path)


class Refusing(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(400)

    def log_message(self, *_: Any) -> None:
        pass


def test_the_workers_follow_when_the_web_process_answers_whatever_it_says(settings: Any) -> None:
    """Who asks by its address may be refused, as where STEPWRIGHT_ALLOWED_HOSTS has only names."""
    settings.HOST, settings.PORT = "127.0.0.1", free_port()
    assert not serve.web_answers()
    with http.server.HTTPServer((settings.HOST, settings.PORT), Refusing) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        assert serve.web_answers()
        answering.join()
