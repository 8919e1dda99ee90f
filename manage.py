#!/usr/bin/env python
"""The front door: `python manage.py COMMAND`."""

from __future__ import annotations

import os
import signal
import sys

# These read no rows; every other command gets the embedded database for as long as it runs.
WITHOUT_DATABASE = {"token", "check", "spectacular", "write_job_fsm", "help", "--version", "--help"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from config import embedded

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    asks_for_it = any(argument.startswith("--database") for argument in sys.argv)  # as `check` may
    if command in WITHOUT_DATABASE and not asks_for_it:
        execute_from_command_line(sys.argv)
        return
    for number in (signal.SIGTERM, signal.SIGHUP):  # so that the database is stopped on the way out
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with embedded.running_database():
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
