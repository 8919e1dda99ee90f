"""A process that makes requests in children of its own and kills them, by SIGKILL, before a step of our choice.

Run as a program it reads one JSON line a request: `{method, path, body, headers, kill_at}`, or `{"work": true}` for a
sweep and whatever then waits, or `{"lane": name}` for what a worker of that lane does. It forks, and answers
`{killed, status, steps}`. Steps are the statements, the commits, the writes of files, the messages to the broker and
the calls to the orchestrator, and `kill_at` is the number of one, from 0.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.models import Job

ROOT = Path(__file__).resolve().parents[2]
MAX_STEPS = 300


class Killer:
    """The tests' side: `with Killer(**environment) as killer: killer.ask(...)`."""

    def __init__(self, **environment: str) -> None:
        self.environment = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}

    def __enter__(self) -> Killer:
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            cwd=ROOT,
            env=self.environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def killing(orchestrator_url: str, storage_url: str) -> Iterator[Killer]:
    """Yield a Killer whose processes work on the test's database and files."""
    from django.conf import settings
    from django.db import connection

    from tests.callbacks import SECRET

    base, _, options = os.environ["DATABASE_URL"].partition("?")
    name = connection.settings_dict["NAME"]
    with Killer(
        DATABASE_URL=f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{options}" if options else ""),
        STEPWRIGHT_STORAGE_URL=storage_url,
        STEPWRIGHT_ORCHESTRATOR="http",
        STEPWRIGHT_ORCHESTRATOR_URL=orchestrator_url,
        STEPWRIGHT_CALLBACK_SECRET=SECRET,
        STEPWRIGHT_ACTIVE_JOBS_PER_OWNER="1000",
        STEPWRIGHT_THROTTLE_RATE="",
        STEPWRIGHT_PUBLIC_URL=settings.PUBLIC_URL,
    ) as running:
        yield running


def after_each_step(
    killer: Killer,
    make: Callable[[], Job],
    request: Callable[[Job], dict[str, Any]],
    check: Callable[[Job], None],
) -> int:
    """Make a job, kill the request before its first step, check; the next job's before its second, and so on
    until a request comes through. Answers how many kills there were."""
    for kill_at in range(MAX_STEPS):
        job = make()
        told = killer.ask(kill_at=kill_at, **request(job))
        if not told["killed"]:
            assert told["status"] < 300, told
            assert kill_at == len(told["steps"]), told
            check(job)
            return kill_at
        try:
            check(job)
        except AssertionError as error:
            raise AssertionError(f"killed after {told['steps']}: {error}") from error
    raise AssertionError("the request never came through")


def serve() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from config.work.registry import load_kinds

    load_kinds()  # it works rows off, too
    for line in sys.stdin:
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(reader)
            run(json.loads(line), writer)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            told = pipe.read().splitlines()
        _, how = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(how) and os.WTERMSIG(how) == signal.SIGKILL
        status = next((int(line.split()[1]) for line in told if line.startswith("status ")), None)
        steps = [line for line in told if not line.startswith("status ")]
        print(json.dumps({"killed": killed, "status": status, "steps": steps}), flush=True)


def run(request: dict[str, Any], writer: int) -> None:
    from django.conf import settings
    from django.db import connection
    from django.db.backends.postgresql.base import DatabaseWrapper
    from django.test import Client

    from config.storage import storage
    from config.work import enqueue
    from config.work.broker import make_broker
    from config.work.registry import KINDS
    from config.work.sweep import sweep_work_rows
    from jobs.orchestrators.http import Http
    from tests.factories import work_off
    from tests.workers import use_broker

    use_broker(make_broker(settings.BROKER_URL))  # the threads of the one before were left behind by the fork
    seen = 0

    def step(name: str) -> None:
        nonlocal seen
        if seen == request.get("kill_at"):
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(writer, f"{name}\n".encode())
        seen += 1

    def around(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def stepping(*arguments: Any, **named: Any) -> Any:
            step(f"before {name}")
            try:
                return real(*arguments, **named)
            finally:
                step(f"after {name}")

        setattr(owner, name, stepping)

    def statement(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        step(" ".join(sql.split())[:60])
        return execute(sql, parameters, many, context)

    around(Http, "_post")
    around(enqueue, "_send")
    around(DatabaseWrapper, "_commit")
    for name in ("save_bytes", "save_file", "_keep"):  # a folder's `_keep` names a file that is written
        if hasattr(storage(), name):
            around(type(storage()), name)
    with connection.execute_wrapper(statement):
        if request.get("work"):
            sweep_work_rows()
            work_off()
            status = 0
        elif lane := request.get("lane"):
            kinds = [kind for kind in KINDS.values() if lane in kind.lanes]
            is_work_left = True
            while is_work_left:
                is_work_left = any([kind.perform_next(lane) for kind in kinds])
            status = 0
        else:
            status = (
                Client(raise_request_exception=False)
                .generic(
                    request["method"],
                    request["path"],
                    json.dumps(request.get("body") or {}),
                    content_type="application/json",
                    headers=request.get("headers") or {},
                )
                .status_code
            )
    os.write(writer, f"status {status}\n".encode())


if __name__ == "__main__":
    serve()
