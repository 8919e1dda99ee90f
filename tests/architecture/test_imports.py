"""The graph of imports, those in functions and those for types included. The layers stand in pyproject.toml."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

PACKAGES = ("config", "jobs", "instructions", "anchors", "exports")
ROOT = Path(__file__).parents[2]


def test_no_two_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    assert len(graph.modules) > 150
    # Raises CycleError, which names the modules of a circle.
    TopologicalSorter(
        {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    ).prepare()


def test_the_table_of_transitions_uses_nothing_of_django_but_text_choices() -> None:
    tree = ast.parse((ROOT / "jobs/states.py").read_text())
    imported = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    plain = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    known = ("dataclasses.", "__future__.", "collections.")
    assert not plain
    assert {name for name in imported if not name.startswith(known)} == {"django.db.models.TextChoices"}
