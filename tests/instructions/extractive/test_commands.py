"""Commands of a terminal that are said or typed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from instructions.drafting import Guide, Section, Step, assemble, escape_text
from instructions.language_models import Segment
from instructions.language_models.extractive import Extractive
from instructions.language_models.extractive.commands import with_commands
from jobs.media.screen.events import EventKind, Region, ScreenEvent

SAID = [
    ("Run git status.", "Run `git status`."),
    (
        "Type npm install dash dash save dash dev eslint and press enter.",
        "Run `npm install --save-dev eslint` and press",
    ),
    ("Now type in git checkout dash b feature slash login.", "Now run `git checkout -b feature/login`."),
    (
        "Run pip install dash r requirements dot txt to get all.",
        "Run `pip install -r requirements.txt` to get all.",
    ),
    ("Enter git add dot, then run git push.", "Run `git add .`, then run `git push`."),
    ("Type cd dot dot.", "Run `cd ..`."),
    ("Run git push dash dash force dash with dash lease.", "Run `git push --force-with-lease`."),
    ("Type curl localhost colon 8000 slash health.", "Run `curl localhost:8000/health`."),
    (
        "Run npm install --save-dev react, which is slow.",
        "Run `npm install --save-dev react`, which is slow.",
    ),
    ("Run make test.", "Run `make test`."),
    ("Docker compose up dash d, dash dash build.", "Run `docker compose up -d --build`."),
    ("Open the file and git add dot.", "Open the file and run `git add .`."),
    ("Run git commit dash m quote fix typo quote now.", 'Run `git commit -m "fix typo"` now.'),
]
NOT_SAID = [
    "Run the tests.",
    "Click Run.",
    "Run make sure it works.",
    "Type git in the search box.",
    "Type python courses in the search field.",
    "Enter go home as the title.",
    "Run.",
    "Git is a version control system.",
    "Git status tells me it is clean.",
    "NPM packages can be found there.",
]


def written(text: str) -> str:
    guide = with_commands(Guide("T", (Section("", (Step(text.rstrip("."), (text,), 0),)),)))
    return assemble(guide).rstrip("\n").split("\n\n")[-1]


@pytest.mark.parametrize(("said", "expected"), SAID)
def test_a_command_that_is_said_is_written_as_it_is_typed(said: str, expected: str) -> None:
    assert written(said).startswith(expected)


@pytest.mark.parametrize("said", NOT_SAID)
def test_what_is_no_command_stays_as_it_was_said(said: str) -> None:
    assert "`" not in written(said)
    assert written(said) == said


def test_a_command_in_a_talk_is_code_in_its_step() -> None:
    segments = [
        Segment(0, 4000, "Open the terminal in your project."),
        Segment(4500, 9000, "Then type npm install dash dash save dash dev eslint and press enter."),
    ]
    draft = Extractive().draft(segments, title=None, language="en")
    assert "## Step 2: Run `npm install --save-dev eslint`" in draft.markdown
    assert draft.steps[1].heading.startswith("Run npm install --save-dev eslint")


def typed(text: str, *, at_ms: int = 5000, label: str = "$") -> ScreenEvent:
    return ScreenEvent(
        kind=EventKind.TYPE,
        at_ms=at_ms,
        end_ms=at_ms + 1500,
        region=Region(0.1, 0.5, 0.4, 0.05),
        label=label,
        text=text,
        confidence=0.9,
    )


def test_a_command_that_is_only_typed_is_run_in_the_guide() -> None:
    draft = Extractive().draft(
        [], title="Set up", language="de", screen=[typed("git status", label="user@host:~/app$")]
    )
    assert "## Step 1: `git status` ausführen" in draft.markdown


def test_a_command_that_is_misheard_is_spelt_as_on_the_screen() -> None:
    segments = [
        Segment(0, 4000, "Open the terminal."),
        Segment(4500, 9000, "Then run git brunch dash dash all."),
    ]
    click = replace(
        typed(""),
        kind=EventKind.CLICK,
        region=Region(0.8, 0.1, 0.1, 0.05),
        at_ms=1000,
        label="Terminal",
        text=None,
    )
    screen = [click, typed("git branch --all", at_ms=6000)]
    draft = Extractive().draft(segments, title="Branches", language="en", screen=screen)
    assert "Run `git branch --all`" in draft.markdown
    assert "brunch" not in draft.markdown


def test_of_two_spoken_steps_the_one_that_names_a_command_shows_it() -> None:
    segments = [
        Segment(0, 4000, "Open the folder of the project."),
        Segment(4500, 9000, "Then run git branch dash dash all."),
    ]
    draft = Extractive().draft(
        segments, title="Branches", language="en", screen=[typed("git branch --all", at_ms=3000)]
    )
    assert [step.heading for step in draft.steps] == [
        "Open the folder of the project",
        "Run git branch --all",
    ]
    assert [step.start_ms for step in draft.steps] == [0, 3000]


def test_what_is_typed_into_a_named_field_is_no_command() -> None:
    draft = Extractive().draft(
        [], title="Set up", language="en", screen=[typed("git status", label="Search")]
    )
    assert "`" not in draft.markdown


def test_code_with_backticks_and_marks_stays_code() -> None:
    assert escape_text("Run echo `date` *", ["echo `date` *"]) == "Run ``echo `date` *``"
    assert escape_text("Run a*b and *c*", ["a*b"]) == r"Run `a*b` and \*c\*"
