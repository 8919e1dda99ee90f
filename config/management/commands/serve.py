"""`manage.py serve`: run database, migrations, API and workers in the foreground until Ctrl-C."""

from __future__ import annotations

import fcntl
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.exceptions import InconsistentMigrationHistory
from honcho.printer import Printer

from config import embedded, environment
from config.migrating import migrating
from config.storage import storage
from config.supervisor import CannotStart, Process, Supervisor

MARK = "STEPWRIGHT_SERVED_FROM"  # an environment variable of every process that `serve` starts
# Backpressure counts connections, the slow ones too; the header time-out also ends connections that are idle. A stop
# waits 4 s for running requests.
WEB = (
    "-m granian --interface asgi --http 1 --no-ws --log-level warning --backlog 2048 --backpressure 4096"
    " --http1-buffer-size 262144 --http1-header-read-timeout 15000 --respawn-failed-workers"
    " --respawn-interval 0.5 --workers-kill-timeout 4"
)
COMMANDS = {
    "web": f"{WEB} --host {{host}} --port {{port}} --workers 2 config.asgi:application",
    "worker": "manage.py work control:2 media:2 exports:2 language:2",
    "speech": "manage.py work speech:2 backfill:1 export_backfill:1",
}


class Database:
    """The embedded server, which is started again when it dies. It is stopped last, when nobody needs it any more."""

    name = "postgres"

    def __init__(self) -> None:
        self._is_wanted = threading.Event()
        self._is_wanted.set()

    def run(self, say: Callable[[str], None]) -> int:
        if not embedded.is_running():
            try:
                embedded.start()
            except subprocess.SubprocessError as error:
                raise CannotStart(str(error)) from error
            say("started again\n")
        while self._is_wanted.is_set() and embedded.is_running():
            time.sleep(0.2)
        return -signal.SIGKILL if self._is_wanted.is_set() else 0

    def stop(self, number: signal.Signals) -> None:
        self._is_wanted.clear()


def web_answers() -> bool:
    """Return whether the web process answers, whatever it says."""
    connection = http.client.HTTPConnection(settings.HOST, settings.PORT, timeout=1)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


class Command(BaseCommand):
    help = "Run the whole service in the foreground: database, API and workers."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        home = environment.home()
        lock = self._take_lock(home)
        self._end_leftovers(home)
        self._require_free_port()
        self._require_storage()
        supervisor = self._supervisor(home)
        try:
            with migrating():
                supervisor.start()
                self._migrate(home)
                self._make_admin()
            # Before, a signal interrupts the migration.
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, lambda *_: supervisor.stop())
        except BaseException:
            supervisor.stop()
            supervisor.loop()
            raise
        embedded.close_connections()  # from now on the children have theirs
        self._announce(home)
        gave_up = supervisor.loop()
        embedded.stop()  # also one that was started by an earlier run, which was killed
        lock.close()
        if gave_up:
            raise CommandError(f"{gave_up} cannot start, so all was stopped; its last lines say why.")

    def _require_storage(self) -> None:
        """Raise CommandError unless files can be written, read and deleted."""
        try:
            storage().check()
        except OSError as error:
            raise CommandError(
                f"STEPWRIGHT_STORAGE_URL names a storage that cannot be used: {error}"
            ) from error

    def _supervisor(self, home: Path) -> Supervisor:
        web, *workers = self._processes(home)
        return Supervisor(
            [Database(), web] if embedded.is_used() else [web],
            Printer(sys.stdout, colour=sys.stdout.isatty()),
            later=workers,
            may_follow=web_answers,
        )

    def _processes(self, home: Path) -> list[Process]:
        inherited = {
            **os.environ,
            MARK: str(home),
            "DATABASE_URL": embedded.database_url(),  # known also to what starts while the embedded server is down
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "2",
        }
        return [
            Process(
                name,
                [sys.executable, *arguments.format(host=settings.HOST, port=settings.PORT).split()],
                env=inherited,
                cwd=str(settings.BASE_DIR),
                scratch=home / "tmp" / name,
            )
            for name, arguments in COMMANDS.items()
        ]

    def _migrate(self, home: Path) -> None:
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except InconsistentMigrationHistory as error:
            where = home if embedded.is_used() else "DATABASE_URL"
            raise CommandError(
                f"The database of {where} was made by a version that this one cannot take over. "
                "Move it away, or name another, and start again."
            ) from error

    def _take_lock(self, home: Path) -> Any:
        lock = environment.open_lock("serve.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise CommandError(
                f"Stepwright is already running from {home} ({lock.read().strip()}). "
                "Stop it with Ctrl-C there, or set STEPWRIGHT_HOME and PORT for a second one."
            ) from error
        # Otherwise a child that outlives this process would keep the lock.
        os.register_at_fork(after_in_child=lock.close)
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, {settings.PUBLIC_URL}")
        lock.flush()
        return lock

    def _end_leftovers(self, home: Path) -> None:
        """End the children of an earlier `serve` that was killed."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(home):
                    process.terminate()
                    found.append(process)
            except psutil.Error:
                continue  # a process of another user, or one that has ended
        for process in psutil.wait_procs(found, timeout=5)[1]:
            process.kill()
        if found:
            self.stdout.write(f"Ended {len(found)} processes that an earlier run left behind.")

    def _require_free_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.HOST, settings.PORT))
            except OSError as error:
                raise CommandError(
                    f"Cannot listen on {settings.HOST}:{settings.PORT} ({error.strerror}). "
                    "Choose another port: PORT=8001 make serve"
                ) from error

    def _make_admin(self) -> None:
        users = get_user_model().objects
        if settings.PRODUCTION or users.filter(is_superuser=True).exists():
            return
        password = secrets.token_urlsafe(12)
        users.create_superuser("admin", password=password)
        self.stdout.write(f"Made the admin user. Name: admin  Password: {password}  (shown this once)")

    def _announce(self, home: Path) -> None:
        url = settings.PUBLIC_URL
        database = "embedded PostgreSQL" if embedded.is_used() else "the PostgreSQL of DATABASE_URL"
        for label, value in (
            ("API", f"{url}/api/v1"),
            ("API docs", f"{url}/api/docs"),
            ("Your jobs", f"{url}/jobs"),
            ("Admin", f"{url}/admin/"),
            ("Health", f"{url}/healthz  {url}/readyz"),
            ("Data", f"{home} ({database})"),
            ("A token", "make token USER=editor"),
        ):
            self.stdout.write(f"  {label:<9} {value}")
        self.stdout.write("Ctrl-C stops everything.")
        self.stdout.flush()
