"""The rules on the project's own code, and each of them on what it must find and what it must let pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from pkgutil import resolve_name

import pytest
from django.apps import apps

from config.work.models import WorkRow
from tests.architecture import rules
from tests.architecture.source import Finding, Source

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FIXTURES = Path(__file__).parent / "fixtures"
PACKAGES = ("config", "jobs", "instructions", "anchors", "exports")
Rule = Callable[[Source], Iterator[Finding]]

# What a rule finds and the project keeps all the same: the rule, the file, and why.
ALLOWED = {
    # The key is held on the row that it made, whichever app's that is; once it is 24 h old it is taken off.
    ("api_write", "config/api/idempotency.py"),
}
WITH_FIXTURES = [rule for rule in rules.RULES if rule is not rules.long_file]


def sources() -> Iterator[Source]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in file.parts:
                yield Source(file.relative_to(ROOT).as_posix(), file.read_text())


def fixture(name: str) -> Source:
    """Return a fixture as the file that its first line says it stands for."""
    text = (FIXTURES / f"{name}.py").read_text()
    return Source(text.splitlines()[0].removeprefix("# Stands for "), text)


def name_of(rule: Rule) -> str:
    return rule.__name__


@pytest.mark.parametrize("rule", rules.RULES, ids=name_of)
def test_the_project_keeps_the_rule(rule: Rule) -> None:
    found = [finding for source in sources() for finding in rule(source)]
    kept = [str(finding) for finding in found if (rule.__name__, finding.path) not in ALLOWED]
    assert not kept, "\n" + "\n".join(kept)


def test_nothing_is_allowed_that_no_rule_finds() -> None:
    found = {
        (rule.__name__, finding.path)
        for source in sources()
        for rule in rules.RULES
        for finding in rule(source)
    }
    assert found >= ALLOWED


@pytest.mark.parametrize("rule", WITH_FIXTURES, ids=name_of)
def test_the_rule_finds_every_marked_line(rule: Rule) -> None:
    source = fixture(f"{rule.__name__}_bad")
    lines = source.text.splitlines()
    marked = [number for number, line in enumerate(lines, 1) if line.endswith("# found")]
    assert marked
    assert sorted(finding.line for finding in rule(source)) == marked


@pytest.mark.parametrize("rule", WITH_FIXTURES, ids=name_of)
def test_the_rule_lets_pass_what_is_right(rule: Rule) -> None:
    assert [str(finding) for finding in rule(fixture(f"{rule.__name__}_good"))] == []


def test_every_fixture_belongs_to_a_rule() -> None:
    expected = {f"{rule.__name__}_{kind}.py" for rule in WITH_FIXTURES for kind in ("bad", "good")}
    assert {file.name for file in FIXTURES.glob("*.py")} == expected


@pytest.mark.parametrize(("lines", "found"), [(rules.MAX_FILE, 0), (rules.MAX_FILE + 1, 1)])
def test_a_file_may_have_so_many_lines_and_no_more(lines: int, found: int) -> None:
    assert len(list(rules.long_file(Source("jobs/states.py", "A = 1\n" * lines)))) == found


def test_our_own_calls_to_the_outside_exist() -> None:
    ours = [name.partition("()")[0] for name in rules.OUTSIDE if name.startswith(PACKAGES)]
    assert ours and all(callable(resolve_name(name)) for name in ours)


def test_the_exempt_files_exist() -> None:
    assert all((ROOT / path).is_file() for path in (rules.TRANSITIONS, *rules.WRITES_WORK))


def test_the_rules_know_every_work_model() -> None:
    models = {model.__name__ for model in apps.get_models() if issubclass(model, WorkRow)}
    assert models == rules.WORK_MODELS, "add it to WORK_MODELS in tests/architecture/rules.py"
