"""The committed API description, read once, and small ways to walk it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
METHODS = {"get", "post", "put", "patch", "delete"}


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text())
    return loaded


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of each."""
    for path, item in document()["paths"].items():
        for method in sorted(METHODS & set(item)):
            yield path, method, item[method]


def follow(node: dict[str, Any]) -> dict[str, Any]:
    """The node itself, or what its $ref names."""
    while "$ref" in node:
        found: Any = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def codes(response: dict[str, Any]) -> list[str]:
    """The error codes that a response is described with."""
    return list(follow(response)["content"]["application/json"]["examples"])
