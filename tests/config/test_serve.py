"""`manage.py serve`: what it says when it cannot start. Starting, stopping and kills: tests/soak."""

from __future__ import annotations

import http.server
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.db.migrations.exceptions import InconsistentMigrationHistory

from config import migrating
from config.management.commands import serve
from config.supervisor import Process
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


class Recorded:
    """Stands for the supervisor, and writes down what it is asked to do."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def start(self) -> None:
        DONE.append("start")

    def stop(self) -> None:
        DONE.append("stop")

    def loop(self) -> str:
        DONE.append("loop")
        return ""


DONE: list[str] = []


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> serve.Command:
    """The command without the processes that it starts, and without a database."""
    DONE.clear()
    monkeypatch.setattr(serve, "Supervisor", Recorded)
    monkeypatch.setattr(serve.environment, "home", lambda: tmp_path)
    monkeypatch.setattr(serve.signal, "signal", lambda *_: None)
    monkeypatch.setattr(serve.embedded, "close_connections", lambda: None)
    monkeypatch.setattr(serve.embedded, "stop", lambda: None)
    for step in ("_end_leftovers", "_require_free_port", "_announce"):
        monkeypatch.setattr(serve.Command, step, lambda *_: None)
    monkeypatch.setattr(serve.Command, "_take_lock", lambda *_: (tmp_path / "lock").open("a"))
    monkeypatch.setattr(serve.Command, "_migrate", lambda *_: DONE.append("migrate"))
    monkeypatch.setattr(serve.Command, "_make_admin", lambda *_: DONE.append("admin"))
    return serve.Command()


def test_the_web_process_comes_up_while_the_database_is_migrated(command: serve.Command) -> None:
    command.handle()
    assert DONE == ["start", "migrate", "admin", "loop"]


def test_a_signal_interrupts_a_migration_and_stops_what_runs_after_it(
    command: serve.Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve.signal, "signal", lambda number, _: DONE.append(number.name))
    command.handle()
    assert DONE == ["start", "migrate", "admin", "SIGTERM", "SIGINT", "SIGHUP", "loop"]


def test_a_migration_that_fails_stops_what_was_started(
    command: serve.Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise CommandError("of another version")

    monkeypatch.setattr(serve.Command, "_migrate", fails)
    with pytest.raises(CommandError, match="of another version"):
        command.handle()
    assert DONE == ["start", "stop", "loop"]


def test_locks_and_scratch_folders_are_for_us_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEPWRIGHT_HOME", str(tmp_path))
    before = os.umask(0)
    try:
        with migrating.migrating():
            scratch = tmp_path / "tmp" / "web"
            assert Process("web", ["/bin/true"], env={}, cwd=str(tmp_path), scratch=scratch).run(print) == 0
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {"migrating.lock": 0o600, "tmp": 0o700, "web": 0o700}


def test_who_is_served_waits_until_the_migration_has_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STEPWRIGHT_HOME", str(tmp_path))
    migrating.wait_until_migrated()  # nobody migrates
    waiting = threading.Thread(target=migrating.wait_until_migrated)
    with migrating.migrating():
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
    waiting.join(20)
    assert not waiting.is_alive()
    migrating.wait_until_migrated()  # nobody migrates any more


WAITS = """
from config import migrating
migrating.wait_until_migrated = lambda: print("waits")
import config.asgi
"""


def test_the_web_process_waits_before_it_serves() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", WAITS]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout == "waits\n"
