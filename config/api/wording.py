"""The last touch of the API description: its sentences, and what drf-spectacular leaves that client generators stumble
over.

Each property and parameter gets the sentence that `spec/descriptions.yaml` has for it: under its component, else under
"*", which holds those that mean the same everywhere. Each enumeration has one under "choices". What goes for all
operations is `spec/introduction.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from django.conf import settings

ANYWHERE = "*"
PARAMETERS = "parameters"
CHOICES = "choices"


@cache
def sentences() -> dict[str, dict[str, str]]:
    """Return the sentences by component and property."""
    loaded: dict[str, dict[str, str]] = yaml.safe_load(
        (settings.BASE_DIR / "spec" / "descriptions.yaml").read_text(encoding="utf-8")
    )
    return loaded


def finish(result: dict[str, Any], generator: Any, **_: Any) -> dict[str, Any]:
    """Return the description with its introduction, sentences, plain ids and named choices.

    This is drf-spectacular's last hook.
    """
    introduction = (settings.BASE_DIR / "spec" / "introduction.md").read_text(encoding="utf-8")
    result["info"]["description"] += f"\n\n{introduction}"
    for node in walk(result):
        if node.get("format") == "uuid":  # ids are opaque to clients
            del node["format"]
        node.pop("readOnly", None)  # of answers only; generators would write each such schema twice
    schemas = result["components"]["schemas"]
    for name, schema in schemas.items():
        for part in properties(schema):
            for field, value in part.items():
                _describe(value, name, field)
    choices = {tuple(schema["enum"]): name for name, schema in schemas.items() if "enum" in schema}
    for name in choices.values():
        _describe(schemas[name], CHOICES, name)
    for parameter in parameters(result):
        _describe(parameter, PARAMETERS, parameter["name"])
        schema = parameter["schema"].get("items", parameter["schema"])
        if name := choices.get(tuple(schema.get("enum", ()))):
            schema.clear()
            schema["$ref"] = f"#/components/schemas/{name}"
    return result


def walk(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a document, but for those in its examples."""
    if isinstance(node, dict):
        yield node
        for key, value in list(node.items()):
            if key not in ("examples", "example"):
                yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)


def properties(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the `properties` of a schema, and of its unnamed parts; those that only say more of a field are left
    out."""
    for node in walk(schema):
        if node.get("type") == "object" and isinstance(node.get("properties"), dict):
            yield node["properties"]


def parameters(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the parameters of all operations that are no shared components."""
    for item in document["paths"].values():
        for operation in item.values():
            yield from (one for one in operation.get("parameters", []) if "$ref" not in one)


def _describe(node: dict[str, Any], component: str, name: str) -> None:
    said = sentences()
    if sentence := said.get(component, {}).get(name) or said[ANYWHERE].get(name):
        if "$ref" in node:  # with siblings, which OpenAPI 3.1 allows, and generators overlook
            node["allOf"] = [{"$ref": node.pop("$ref")}]
        node["description"] = sentence
