"""`manage.py serve`: run database, migrations, API and workers in the foreground until Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import sys
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.exceptions import InconsistentMigrationHistory
from honcho.manager import Manager
from honcho.printer import Printer

from config import embedded, environment

MARK = "STEPWRIGHT_SERVED_FROM"  # an environment variable of every process that `serve` starts
ASKED_TO_STOP = (130, 143)  # SIGINT, SIGTERM
WORKERS = "-m dramatiq config.work.worker --worker-shutdown-timeout 4000"
COMMANDS = {
    "web": "-m granian --interface wsgi --host {host} --port {port} --workers 2 --blocking-threads 4 --no-ws"
    " --log-level warning config.wsgi:application",
    "worker": f"{WORKERS} --processes 1 --threads 4 --queues default exports",
    "pipeline": f"{WORKERS} --processes 1 --threads 2 --queues pipeline",
}


class Command(BaseCommand):
    help = "Run the whole service in the foreground: database, API and workers."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        home = environment.home()
        lock = self._take_lock(home)
        self._end_leftovers(home)
        self._require_free_port()
        self._migrate(home)
        self._make_admin()
        manager = Manager(Printer(sys.stdout, colour=sys.stdout.isatty()))
        # The children find the embedded server by its pid file, so its socket need not be passed on.
        inherited = {**os.environ, MARK: str(home), "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "2"}
        for name, arguments in COMMANDS.items():
            command = f"exec {sys.executable} {arguments.format(host=settings.HOST, port=settings.PORT)}"
            manager.add_process(name, command, env=inherited, cwd=str(settings.BASE_DIR))
        self._announce(home)
        manager.loop()
        embedded.stop()  # also one that was started by an earlier run, which was killed
        lock.close()
        if manager.returncode not in (0, *ASKED_TO_STOP):
            raise CommandError(
                "A process ended by itself, so the others were stopped; its last lines say why."
            )

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
        lock = (home / "serve.lock").open("a+")
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
            ("Admin", f"{url}/admin/"),
            ("Health", f"{url}/healthz  {url}/readyz"),
            ("Data", f"{home} ({database})"),
            ("A token", "make token USER=editor"),
        ):
            self.stdout.write(f"  {label:<9} {value}")
        self.stdout.write("Ctrl-C stops everything.")
        self.stdout.flush()
