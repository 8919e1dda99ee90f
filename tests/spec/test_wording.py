"""The API description as client authors meet it: its parts are named and described, and generators take them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.plumbing import ComponentRegistry

from config.api.schema import named_parts
from config.api.wording import ANYWHERE, CHOICES, PARAMETERS, parameters, properties, sentences, walk
from tests.spec.description import document, follow, operations

SCHEMAS = document()["components"]["schemas"]
# What a client library, or the language itself, is likely to have already; and names that say nothing.
FORBIDDEN = {
    "Run", "Retry", "Replay", "Version", "Event", "Options", "Issue", "Finding", "Annotation", "Block", "Segment",
    "Manifest", "Failure", "Point", "Rectangle", "Line", "Response", "Request", "Exception", "Object", "Type", "Client",
}  # fmt: skip


def _answers() -> Iterator[tuple[str, dict[str, Any]]]:
    """The operation and the schema of each body that it answers with, or takes."""
    for _, _, operation in operations():
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in bodies:
            for content in follow(body).get("content", {}).values():
                yield operation["operationId"], content["schema"]


def _described() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Component, property and schema of each property."""
    for name, schema in SCHEMAS.items():
        for part in properties(schema):
            for field, value in part.items():
                yield name, field, value


def test_every_property_and_parameter_is_described() -> None:
    found = list(_described())
    assert len(found) > 300
    assert [
        f"{name}.{field}" for name, field, value in found if not value.get("description", "").strip()
    ] == []
    assert [one["name"] for one in parameters(document()) if not one.get("description")] == []


def test_sentences_are_whole() -> None:
    """What follows a # that stands alone is lost: YAML takes it for a comment."""
    said = [(name, field, one) for name, fields in sentences().items() for field, one in fields.items()]
    assert [one for one in said if not one[2].endswith(".")] == []


def _is_nullable(schema: dict[str, Any]) -> bool:
    return "null" in schema.get("type", []) or {"type": "null"} in schema.get("oneOf", [])


def test_a_sentence_says_null_where_the_value_may_be_null_and_nowhere_else() -> None:
    assert [
        f"{name}.{field}"
        for name, field, value in _described()
        if ("null" in re.findall(r"\w+", value["description"])) is not _is_nullable(value)
    ] == []


def test_every_sentence_is_used() -> None:
    used = {(name, field) for name, field, _ in _described()}
    used |= {(PARAMETERS, one["name"]) for one in parameters(document())}
    used |= {(CHOICES, name) for name, schema in SCHEMAS.items() if "enum" in schema}
    special = {(name, field) for name, fields in sentences().items() for field in fields if name != ANYWHERE}
    assert special - used == set()
    elsewhere = {field for name, field in used - special if name not in (PARAMETERS, CHOICES)}
    assert set(sentences()[ANYWHERE]) - elsewhere == set()


def test_every_operation_is_described_under_a_tag_that_is_defined() -> None:
    tags = {tag["name"]: tag["description"] for tag in document()["tags"]}
    for _, _, operation in operations():
        assert operation["description"].strip() and operation["summary"].strip(), operation["operationId"]
        [tag] = operation["tags"]
        assert tags[tag]


def test_the_introduction_names_operations_and_headers_that_there_are() -> None:
    said = document()["info"]["description"]
    ids = {operation["operationId"] for _, _, operation in operations()}
    named = set(re.findall(r"`([a-z]+[A-Z]\w+)`", said))
    assert len(named) > 10 and named <= ids
    shared = document()["components"]
    headers = {*shared["headers"], *(one["name"] for one in shared["parameters"].values()), "Authorization"}
    assert set(re.findall(r"`([A-Z]\w+(?:-\w+)*)`", said)) <= headers | set(SCHEMAS)


def test_the_document_says_where_by_whom_and_under_which_licence() -> None:
    assert document()["servers"] and document()["info"]["contact"]["name"]
    assert document()["info"]["license"] == {"name": "MIT", "identifier": "MIT"}


def test_bodies_are_named_schemas_lists_of_them_or_bytes() -> None:
    for name, schema in _answers():
        schema = schema["items"] if schema.get("type") == "array" else schema
        assert "$ref" in schema or schema.get("type") == "string", name


def test_every_object_has_a_name() -> None:
    """But for plain maps, whose keys are not known, and for what only narrows a schema that has one."""
    for name, schema in SCHEMAS.items():
        inside = [node for node in walk(schema) if node is not schema]
        assert not any(node.get("type") == "object" and "properties" in node for node in inside), name


def test_no_name_is_empty_of_meaning_or_taken_by_a_language() -> None:
    assert FORBIDDEN & set(SCHEMAS) == set()
    assert [name for name in SCHEMAS if name.endswith("Enum")] == []


def test_choices_have_names_and_say_what_they_mean() -> None:
    assert [f"{name}.{field}" for name, field, value in _described() if "enum" in value] == []
    assert [name for name, one in SCHEMAS.items() if "enum" in one and not one.get("description")] == []


def test_no_schema_is_of_a_request_and_of_an_answer_both() -> None:
    """Generators write what has read-only properties twice, and the second is used by no operation."""
    assert not any("readOnly" in node or "writeOnly" in node for node in walk(SCHEMAS))


def test_a_reference_has_nothing_beside_it_that_generators_would_overlook() -> None:
    assert all(len(node) == 1 for node in walk(document()["components"]["schemas"]) if "$ref" in node)


def test_ids_are_opaque_strings() -> None:
    assert not any(node.get("format") == "uuid" for node in walk(document()))


def test_all_errors_are_the_one_schema() -> None:
    refs = set()
    for _, _, operation in operations():
        for status, response in operation["responses"].items():
            if int(status) >= 400 and "content" in follow(response):
                refs.add(str(follow(response)["content"]["application/json"]["schema"]))
    assert refs == {"{'$ref': '#/components/schemas/Error'}"}
    assert {
        key: value for key, value in SCHEMAS["Error"]["properties"]["code"].items() if key != "description"
    } == {"type": "string"}


def test_each_union_says_by_which_field_its_parts_are_told_apart() -> None:
    unions = {name: schema["discriminator"] for name, schema in SCHEMAS.items() if "discriminator" in schema}
    assert {name: one["propertyName"] for name, one in unions.items()} == {
        "Addressing": "address_type",
        "AnnotationOperation": "op_type",
        "EditOperation": "op",
    }
    for name, one in unions.items():
        assert {part["$ref"] for part in SCHEMAS[name]["oneOf"]} == set(one["mapping"].values())
        for value, ref in one["mapping"].items():
            assert follow({"$ref": ref})["properties"][one["propertyName"]]["const"] == value


def test_texts_that_are_sent_hold_no_nul_and_sizes_have_a_limit() -> None:
    named = (
        "ProjectBody",
        "SaveBody",
        "UploadBody",
        "SubmittedDraft",
        "SubmittedSegment",
        "TextStyle",
        "BadgeStyle",
    )
    for name in named:
        for field, value in SCHEMAS[name]["properties"].items():
            if "string" in value["type"]:
                assert "u0000" in value["pattern"] or "\\" not in value["pattern"], f"{name}.{field}"
    assert SCHEMAS["UploadBody"]["properties"]["size_bytes"]["maximum"] == 8 * 2**30


def test_two_schemas_with_one_name_are_refused() -> None:
    registry = ComponentRegistry()
    part = {"title": "Part", "type": "object"}
    assert named_parts([part, part], registry) == [{"$ref": "#/components/schemas/Part"}] * 2
    with pytest.raises(ValueError, match="Part"):
        named_parts({"title": "Part", "type": "string"}, registry)


# What the contract writes with a question mark, of the resources; all else is in each answer.
OPTIONAL = {
    "AuditEvent": {"actor_id", "prev_status", "new_status"},
    "Export": {
        "provenance_frozen_at", "failure_code", "failure_message", "artifact_sha256", "artifact_size_bytes",
        "download_url", "download_url_expires_at",
    },
    "Instruction": set(),
    "InstructionVersion": set(),
    "Job": set(),
    "Project": set(),
    "RegenerateTask": {"instruction_version", "failure_code", "failure_message", "failed_stage"},
    "RegenerateProvenance": {"model_profile", "prompt_template_id", "prompt_params_ref"},
    "ScreenshotAnchor": {"resolution"},
    "ScreenshotAsset": set(),
    "ScreenshotTask": {"anchor_id", "asset_id", "extracted_at_ms", "failure_code", "failure_message"},
    "Step": {"start_ms", "end_ms"},
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_resource_has_all_its_fields_but_those_that_may_be_absent(name: str) -> None:
    assert set(SCHEMAS[name]["properties"]) - set(SCHEMAS[name]["required"]) == OPTIONAL[name]
