"""A source file as the rules see it, and what they ask of its syntax tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from typing import NamedTuple

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Finding(NamedTuple):
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Source:
    """One module: its path from the project's root, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Every function and method by its own name; of two with one name the last."""
        return {node.name: node for node in ast.walk(self.tree) if isinstance(node, FUNCTIONS)}

    @cached_property
    def imported(self) -> dict[str, str]:
        """What each imported name stands for: `urlopen` for `urllib.request.urlopen`."""
        names = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):  # `import a.b` makes the name `a`
                names |= {alias.asname: alias.name for alias in node.names if alias.asname}
            elif isinstance(node, ast.ImportFrom):
                names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        return names

    @cached_property
    def assigned(self) -> dict[str, ast.expr]:
        """What each name is assigned, by `=` or `with … as`; of several the last."""
        names = {}
        for node in ast.walk(self.tree):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    names[name] = value
                case ast.withitem(context_expr=value, optional_vars=ast.Name(id=name)):
                    names[name] = value
        return names

    def is_in(self, *patterns: str) -> bool:
        return any(fnmatch(self.path, pattern) for pattern in patterns)

    def finding(self, node: ast.AST | int, message: str) -> Finding:
        return Finding(self.path, node if isinstance(node, int) else node.lineno, message)

    def full_name(self, node: ast.expr) -> str:
        """Return the dotted name of a callable, with its import, or what was assigned, in place of its first name."""
        name = dotted(node)
        first = _first(name)
        if first in self.assigned and first not in self.imported:
            name = dotted(self.assigned[first]) + name.removeprefix(first)
            first = _first(name)
        return self.imported.get(first, first) + name.removeprefix(first)


def _first(name: str) -> str:
    return name.partition(".")[0].removesuffix("()")


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for names and attributes, with `()` for a call in between; "" for all else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return f"{dotted(node.func)}()"
    return ""


def walk(node: ast.AST, *, into_functions: bool = False) -> Iterator[ast.AST]:
    """Yield the nodes below one, in the order of the text; those of functions in it only if asked to."""
    for child in ast.iter_child_nodes(node):
        yield child
        if into_functions or not isinstance(child, FUNCTIONS):
            yield from walk(child, into_functions=into_functions)


class Scope(NamedTuple):
    """A function that stands in no other one, with the class that it is a method of; or all that is in none."""

    node: Function | ast.Module
    owner: str

    def nodes(self) -> Iterator[ast.AST]:
        return walk(self.node, into_functions=not isinstance(self.node, ast.Module))


def scopes(tree: ast.Module) -> Iterator[Scope]:
    yield Scope(tree, "")

    def below(node: ast.AST, owner: str) -> Iterator[Scope]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, FUNCTIONS):
                yield Scope(child, owner)
            else:
                yield from below(child, child.name if isinstance(child, ast.ClassDef) else owner)

    yield from below(tree, "")


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    """Return a call's arguments by keyword, those of a dict display behind `**` or in `defaults=` among them."""
    found = {}
    for keyword in call.keywords:
        if keyword.arg:
            found[keyword.arg] = keyword.value
        if keyword.arg in (None, "defaults", "create_defaults") and isinstance(keyword.value, ast.Dict):
            pairs = zip(keyword.value.keys, keyword.value.values, strict=True)
            found |= {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}
    return found


def names_text(node: ast.AST, text: str) -> bool:
    """Return whether a string stands somewhere in an expression."""
    return any(isinstance(part, ast.Constant) and part.value == text for part in ast.walk(node))


def string_text(node: ast.AST) -> str | None:
    """Return what a string says, each `{expression}` of an f-string as its source; None for all else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (
            f"{{{ast.unparse(part.value)}}}" if isinstance(part, ast.FormattedValue) else str(part.value)
            for part in node.values
            if isinstance(part, (ast.FormattedValue, ast.Constant))
        )
        return "".join(parts)
    return None


UPDATE = re.compile(
    r"\bUPDATE\s+(\{.*?\}|\S+)\s+SET\b(.*?)(?=\bWHERE\b|\bUPDATE\b|\Z)", re.IGNORECASE | re.DOTALL
)


def tables_updated(sql: str, column: str) -> list[str]:
    """Return the tables, as the SQL names them, whose column it sets."""
    sets = re.compile(rf"\b{column}\b\"?\s*=", re.IGNORECASE)
    return [table for table, assigned in UPDATE.findall(sql) if sets.search(assigned)]
