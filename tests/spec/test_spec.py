"""The written promises against the code: the API description, the table of transitions, the layers."""

from __future__ import annotations

import io
from pathlib import Path

from django.core.management import call_command

from jobs import states
from jobs.management.commands.write_job_fsm import page

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_api_description_is_what_the_code_generates() -> None:
    out = io.StringIO()
    call_command("spectacular", stdout=out)
    assert (ROOT / "spec" / "openapi.yaml").read_text().strip() == out.getvalue().strip(), "run: make spec"


def test_the_page_of_the_state_machine_is_what_the_table_gives() -> None:
    assert (ROOT / "spec" / "job_fsm.md").read_text() == page(), "run: make spec"


def test_every_pair_stands_in_the_diagram() -> None:
    text = page()
    for source, target in states.pairs():
        assert f"{source} --> {target}" in text
