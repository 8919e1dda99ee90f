"""The tests themselves: small files that stand alone, and names that are read at a glance."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FILES = sorted(TESTS.rglob("*.py"))
MAX_LINES, MAX_NAME = 350, 70


def name_of(path: Path) -> str:
    return str(path.relative_to(TESTS))


def imported(tree: ast.Module) -> set[str]:
    """Return every module that is named by an import, those inside of functions too."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_no_module_imports_a_test_module() -> None:
    modules = {".".join(("tests", *file.relative_to(TESTS).with_suffix("").parts)) for file in FILES}
    modules = {module for module in modules if module.rsplit(".", 1)[1].startswith(("test_", "conftest"))}
    assert modules
    for path in FILES:
        assert not imported(ast.parse(path.read_text())) & modules, name_of(path)


def test_no_file_is_long() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_no_name_of_a_test_is_long_and_each_is_there_once_in_its_file() -> None:
    for path in FILES:
        names = [
            node.name
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        ]
        assert [name for name in names if len(name) > MAX_NAME] == [], name_of(path)
        assert len(names) == len(set(names)), f"{name_of(path)}: one hides another of the same name"
