"""A worker of its own process, whose language model answers only when it is told to.

Run as a program it performs the lane of language models. Each time its model is asked it prints `asked`, and answers
with the next line of its input.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class SlowWorker:
    """The tests' side."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def wait_until_asked(self) -> None:
        assert self.process.stdout
        assert self.process.stdout.readline() == "asked\n", "the worker ended"

    def answer(self, words: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()


@contextmanager
def slow_worker(home: Path) -> Iterator[SlowWorker]:
    """Yield a worker on the test's database, which is killed in the end; then the tables are emptied."""
    from django.db import connection

    from tests.database import empty_tables

    known = connection.settings_dict
    host = known["HOST"] or known["OPTIONS"].get("host", "")
    url = f"postgresql://{known['USER']}@/{known['NAME']}?host={host}"
    environment = {**os.environ, "DATABASE_URL": url, "STEPWRIGHT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, __file__],
        cwd=ROOT,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield SlowWorker(process)
        finally:
            process.kill()
            process.wait(20)
            empty_tables()


def work() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from instructions.language_models import registry
    from tests.instructions.asking import Model

    def answer(text: str, context: str | None) -> str:
        print("asked", flush=True)
        return sys.stdin.readline()

    registry.get_model = lambda *_, **__: Model(answer)
    call_command("work", "language:1")


if __name__ == "__main__":
    work()
