"""The written promises against the code: the API description, the table of transitions, the layers."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import get_resolver
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from config import urls
from config.api.error_codes import CODES
from config.api.errors import ApiError
from jobs.management.commands.write_job_fsm import page
from tests import contract
from tests.spec.description import METHODS, ROOT, codes, document, follow, operations

# The code that no operation gives: an operation that is described takes its own method.
UNUSED = {"METHOD_NOT_ALLOWED"}
# Routes that are no resources: the description itself, its page, health and the admin.
BESIDE = ("admin/", "api/docs", "healthz", "readyz", "api/v1/openapi.json", "jobs", "sign-in", "sign-out")
# The signed files answer for themselves; the callback has a secret of its own, and no user to count.
OPEN = {"/api/v1/keys", "/api/v1/files/{token}", "/api/v1/files/uploads/{token}"}
CALLBACK = "/api/v1/internal/jobs/{job_id}/status"

OPERATIONS = [pytest.param(*entry, id=entry[2]["operationId"]) for entry in operations()]


def test_the_committed_api_description_is_what_the_code_generates() -> None:
    out = io.StringIO()
    call_command("spectacular", stdout=out)
    assert (ROOT / "spec" / "openapi.yaml").read_text().strip() == out.getvalue().strip(), "run: make spec"


def test_the_api_description_is_valid_openapi() -> None:
    assert document()["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(document()).iter_errors()] == []


def test_the_page_of_the_state_machine_is_what_the_table_gives() -> None:
    assert (ROOT / "spec" / "job_fsm.md").read_text() == page(), "run: make spec"


def test_every_pair_stands_in_the_diagram() -> None:
    text = page()
    for source, target in contract.PAIRS:
        assert f"{source} --> {target}" in text


def test_the_catalogue_is_the_contracts_table_of_errors() -> None:
    built = {code: status for code, status in contract.ERROR_CODES.items() if code not in contract.NOT_BUILT}
    assert {name: code.status for name, code in CODES.items()} == built


@pytest.mark.parametrize(("status", "code"), [(409, "NO_SUCH_CODE"), (400, "VERSION_CONFLICT")])
def test_an_error_outside_the_catalogue_cannot_be_raised(status: int, code: str) -> None:
    with pytest.raises(ValueError, match=code):
        ApiError(status, code, "A sentence.")


def test_every_code_stands_at_an_operation_or_is_known_not_to() -> None:
    at_operations: set[str] = set()
    for _, _, operation in operations():
        for status, response in operation["responses"].items():
            if int(status) >= 400 and "content" in follow(response):
                at_operations.update(codes(response))
    assert at_operations == set(CODES) - UNUSED


def _routes(patterns: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Path and method of every route, in the words of the description."""
    found = []
    for entry in patterns:
        path = prefix + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            found += _routes(entry.url_patterns, path)
        elif path and not path.startswith(BESIDE):  # the empty one is the start page
            path = re.sub(r"<str:(\w+)>|\(\?P<(\w+)>[^)]*\)", lambda name: f"{{{name[1] or name[2]}}}", path)
            path = re.sub(r"[\\^$]", "", path)
            found += [(f"/{path}", method) for method in METHODS & set(entry.callback.actions)]
    return found


def test_every_route_and_method_is_described_and_no_other() -> None:
    routes = _routes(get_resolver(urls.__name__).url_patterns)
    assert sorted(routes) == sorted((path, method) for path, method, _ in operations())


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_operation_says_what_every_operation_has(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert operation["tags"]
    responses = operation["responses"]
    assert any(status.startswith("2") for status in responses)
    expected = {"400": "VALIDATION_ERROR", "500": "INTERNAL_ERROR", "503": "SERVICE_UNAVAILABLE"}
    if path == CALLBACK:
        expected |= {"401": "CALLBACK_UNAUTHENTICATED"}
        assert operation["security"] == [{"callbackSecret": []}]
    elif path in OPEN:
        assert operation["security"] == []
    else:
        expected |= {"401": "UNAUTHENTICATED", "429": "RATE_LIMITED"}
        assert operation["security"] == [{"bearer": []}]
    if "{" in path:
        expected |= {"404": "RESOURCE_NOT_FOUND"}
    if "requestBody" in operation and path not in OPEN:
        expected |= {"408": "REQUEST_TIMEOUT", "413": "PAYLOAD_TOO_LARGE", "415": "UNSUPPORTED_MEDIA_TYPE"}
    for status, code in expected.items():
        assert code in codes(responses[status])


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_response_says_its_headers_and_its_body(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    for status, response in operation["responses"].items():
        response = follow(response)
        needed = {"X-Request-ID"}
        if status == "202":
            needed |= {"Location", "Retry-After"}
        if status == "302":
            needed |= {"Location", "Cache-Control"}
        if status in {"429", "503"}:
            needed.add("Retry-After")
        if status == "401" and path != CALLBACK:
            needed.add("WWW-Authenticate")
        assert needed <= set(response["headers"])
        if status == "416":
            needed.add("Content-Range")
        if status in {"204", "302", "304"} or (status == "202" and method == "delete"):
            assert "content" not in response
        else:
            assert all(content["schema"] for content in response["content"].values())


def test_lists_link_to_their_next_page() -> None:
    whole = ("listScreenshotSuggestions",)  # one a step
    for _, _, operation in operations():
        if operation["operationId"].startswith("list") and operation["operationId"] not in whole:
            response = operation["responses"]["200"]
            assert response["content"]["application/json"]["schema"]["type"] == "array"
            assert "Link" in response["headers"]


def test_request_bodies_allow_no_other_fields() -> None:
    for _, _, operation in operations():
        for media, content in operation.get("requestBody", {"content": {}})["content"].items():
            if media == "application/json":
                assert follow(content["schema"])["additionalProperties"] is False
    assert "DRF" not in str(document()), "a docstring for readers of the code is no description"


def _examples() -> list[Any]:
    found = []
    for _, _, operation in operations():
        name = operation["operationId"]
        holders = {"request": operation.get("requestBody", {"content": {}}), **operation["responses"]}
        for part, holder in holders.items():
            for content in follow(holder).get("content", {}).values():
                for title, example in content.get("examples", {}).items():
                    value = follow(example)["value"]
                    found.append(pytest.param(content["schema"], value, id=f"{name}-{part}-{title}"))
    return found


@pytest.mark.parametrize(("schema", "value"), _examples())
def test_every_example_is_what_its_schema_allows(schema: dict[str, Any], value: Any) -> None:
    whole = {**schema, "components": document()["components"]}
    validator = Draft202012Validator(whole, format_checker=FormatChecker())
    assert [error.message for error in validator.iter_errors(value)] == []


def test_every_operation_of_jobs_has_examples() -> None:
    """A request where there is a body, and a success where there is one."""
    for _, _, operation in operations():
        if operation["tags"] != ["jobs"]:
            continue
        assert all(
            one["examples"] for one in operation.get("requestBody", {"content": {}})["content"].values()
        )
        for status, response in operation["responses"].items():
            if status.startswith("2"):
                assert all(content["examples"] for content in response.get("content", {}).values())
