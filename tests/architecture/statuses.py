"""Where a status is written, and whether it is a job's: what the rules on statuses are made of.

Types are not known here. A job is what is named so (`job`, `row.job`, `other_job`), what `Job` or a function named
`…_job` returns, what is annotated with `Job`, and whatever a queryset of `Job` gives.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple, TypeGuard

from tests.architecture.source import Scope, Source, keywords, names_text, scopes, string_text, tables_updated

MAKING = {"create", "get_or_create", "update_or_create", "acreate", "aget_or_create", "aupdate_or_create"}
UPDATING = {"update", "aupdate"}
SAVING = {"save", "asave", "bulk_update", "abulk_update", "bulk_create", "abulk_create"}
ANNOTATED = re.compile(r"\b(Job|JobQuerySet)\b")


class Write(NamedTuple):
    """One place that writes a column `status`: of what, and, when it makes a row, with which value."""

    node: ast.AST
    of: ast.expr | str  # an expression, or the table that SQL names
    is_job: bool
    scope: Scope
    made_with: ast.expr | None = None


def status_writes(source: Source) -> Iterator[Write]:
    for scope in scopes(source.tree):
        jobs = _job_names(scope)
        for node in scope.nodes():
            for of, made_with in _written(node):
                yield Write(node, of, is_job(of, jobs), scope, made_with)
            for table in tables_updated(string_text(node) or "", "status"):
                is_of_job = "jobs_job" in table or bool(ANNOTATED.search(table))
                yield Write(node, table, is_of_job, scope)


def _written(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """Yield what a statement or call writes a status of, and with which value it makes a row."""
    match node:
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from ((part.value, None) for part in ast.walk(target) if _is_set_status(part))
        case ast.Call(func=ast.Name(id="setattr"), args=[of, name, _]) if names_text(name, "status"):
            yield of, None
        case ast.Call(func=ast.Name(id=name) as model) if name[:1].isupper() and "status" in keywords(node):
            yield model, keywords(node)["status"]
        case ast.Call(func=ast.Attribute(value=of, attr=method)):
            has_status = "status" in keywords(node)
            if method in MAKING and has_status:
                yield of, keywords(node)["status"]
            elif (method in UPDATING and has_status) or (method in SAVING and _names_status(node)):
                yield of, None


def _is_set_status(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and node.attr == "status" and isinstance(node.ctx, ast.Store)


def _names_status(call: ast.Call) -> bool:
    arguments = (*call.args, *(keyword.value for keyword in call.keywords))
    return any(names_text(argument, "status") for argument in arguments)


def _job_names(scope: Scope) -> set[str]:
    """Return the names that stand for a job, or for several, in a function."""
    names = {"self"} if scope.owner in ("Job", "JobQuerySet") else set[str]()
    nodes = [scope.node, *scope.nodes()]
    for arguments in (node for node in nodes if isinstance(node, ast.arguments)):
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.annotation and _says_job(argument.annotation):
                names.add(argument.arg)
    for node in nodes:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)) if _says_job(node.annotation):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]) if is_job(node.value, names):
                names.add(name)
            case ast.NamedExpr(target=ast.Name(id=name)) if is_job(node.value, names):
                names.add(name)
            case ast.For(target=ast.Name(id=name)) if is_job(node.iter, names):
                names.add(name)
    return names


def _says_job(annotation: ast.expr) -> bool:
    text = ast.unparse(annotation)
    return bool(ANNOTATED.search(text)) and "Callable" not in text


def is_job(node: ast.expr | str, names: set[str]) -> bool:
    match node:
        case ast.Name(id=name):
            return name in names or name in ("Job", "job", "jobs") or name.endswith("_job")
        case ast.Attribute(value=value, attr=name):
            is_manager = name in ("objects", "_default_manager", "_base_manager")
            return is_job(value, names) if is_manager else name in ("job", "jobs")
        case ast.Call(func=ast.Name() as called):
            return is_job(called, set()) or called.id == "type" and is_job(node.args[0], names)
        case ast.Call(func=ast.Attribute(value=value)) | ast.Subscript(value=value):
            return is_job(value, names)
    return False
