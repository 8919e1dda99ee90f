"""`manage.py write_job_fsm FILE`: the page spec/job_fsm.md, made from the table in jobs/states.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from jobs import states

INTRODUCTION = """# The states of a job

Generated from `jobs/states.py` by `make spec`; a test holds the two together. The database refuses every
change of status that is not in this table, raw SQL included.

| verb | from | to | by |
| --- | --- | --- | --- |
"""


def page() -> str:
    """Return the page as Markdown, with a Mermaid state diagram."""
    table = "".join(
        f"| `{row.verb}` | {', '.join(row.sources)} | {row.target} | {', '.join(sorted(row.actor_types))} |\n"
        for row in states.TRANSITIONS
    )
    arrows = "".join(
        f"    {source} --> {target}: {', '.join(_verbs(source, target))}\n"
        for source, target in sorted(states.pairs())
    )
    ends = "".join(f"    {status} --> [*]\n" for status in sorted(states.TERMINAL))
    return f"{INTRODUCTION}{table}\n```mermaid\nstateDiagram-v2\n    [*] --> CREATED\n{arrows}{ends}```\n"


def _verbs(source: str, target: str) -> list[str]:
    return sorted({row.verb for row in states.TRANSITIONS if row.target == target and source in row.sources})


class Command(BaseCommand):
    help = "Write the page of the job's state machine."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        file.write_text(page())
