"""One error shape from every producer, request ids, body limits, and the answer that tells nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import get_resolver

from config import urls
from jobs.states import JobStatus
from tests.errors import assert_shape
from tests.factories import (
    Api,
    make_anchor,
    make_asset,
    make_export,
    make_job,
    make_regenerate_task,
    make_screenshot_task,
)
from tests.pictures import make_activity, make_image_upload, make_redaction

MISSING = "01a20000-0000-7000-8000-00000000abcd"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/nowhere", None, 404, "RESOURCE_NOT_FOUND"),
        ("GET", "/projects/", None, 404, "RESOURCE_NOT_FOUND"),
        ("GET", f"/jobs/{MISSING}/", None, 404, "RESOURCE_NOT_FOUND"),
        ("POST", f"/jobs/{MISSING}/run/", None, 404, "RESOURCE_NOT_FOUND"),
        ("GET", f"/jobs/{MISSING}", None, 404, "RESOURCE_NOT_FOUND"),
        ("DELETE", "/projects", None, 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/jobs", {}, 405, "METHOD_NOT_ALLOWED"),
        ("PATCH", f"/instructions/{MISSING}", {}, 405, "METHOD_NOT_ALLOWED"),
        ("PATCH", "/jobs?limit=1", None, 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/projects?odd=1", None, 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/projects", b"{", 400, "VALIDATION_ERROR"),
        ("POST", "/projects", b"[]", 400, "VALIDATION_ERROR"),
        ("POST", "/projects", b'{"name": "\\u0000"}', 400, "VALIDATION_ERROR"),
        ("POST", "/projects", b'{"name": "\\ud800"}', 400, "VALIDATION_ERROR"),
        ("POST", "/projects", b'{"name": NaN}', 400, "VALIDATION_ERROR"),
        ("POST", "/projects", b"\xff", 400, "VALIDATION_ERROR"),
        ("POST", "/projects", {}, 400, "VALIDATION_ERROR"),
        ("POST", "/projects", b"x" * (2 * 2**20 + 1), 413, "PAYLOAD_TOO_LARGE"),
        ("GET", "/projects?limit=0", None, 400, "VALIDATION_ERROR"),
        ("GET", "/projects?cursor=odd", None, 400, "VALIDATION_ERROR"),
        ("GET", "/projects?odd=1", None, 400, "VALIDATION_ERROR"),
        ("POST", "/projects?odd=1", {"name": "a"}, 400, "VALIDATION_ERROR"),
        ("PUT", "/files/uploads/forged", b"x", 404, "RESOURCE_NOT_FOUND"),
        ("GET", "/files/forged", None, 404, "RESOURCE_NOT_FOUND"),
        ("POST", f"/jobs/{MISSING}/run", {"odd": 1}, 404, "RESOURCE_NOT_FOUND"),
    ],
)
def test_every_refusal_has_the_one_shape(
    owner: Api, method: str, path: str, body: Any, status: int, code: str
) -> None:
    assert_shape(owner.call(method, path, body), status, code)


def test_a_path_says_what_it_takes_whatever_the_query(owner: Api) -> None:
    assert owner.call("OPTIONS", "/jobs?limit=1").status_code == 200  # so ask browsers before a GET


def test_a_body_of_another_type_is_415_and_an_unwanted_answer_406(owner: Api) -> None:
    response = owner.client.post("/api/v1/projects", "a=b", content_type="text/plain", headers=owner.headers)
    assert_shape(response, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert_shape(owner.get("/projects", accept="text/csv"), 406, "NOT_ACCEPTABLE")


def test_an_unknown_field_is_named(owner: Api) -> None:
    body = assert_shape(owner.post("/projects", {"name": "a", "odd": 1}), 400, "VALIDATION_ERROR")
    assert body["details"]["errors"] == [
        {"field": "odd", "code": "unknown_field", "message": "This field is not known."}
    ]


def test_a_chunked_body_without_a_length_is_411(owner: Api) -> None:
    response = owner.call("POST", "/projects", {"name": "a"}, transfer_encoding="chunked")
    assert_shape(response, 411, "LENGTH_REQUIRED")


def test_a_crash_says_nothing_but_internal_error(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**_: Any) -> None:
        raise RuntimeError("the secret cause")

    monkeypatch.setattr("jobs.api.viewsets.create_project", crash)
    response = owner.post("/projects", {"name": "a"})
    assert_shape(response, 500, "INTERNAL_ERROR")
    assert b"secret cause" not in response.content


def test_a_database_that_is_away_is_503_with_retry_after(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("jobs.api.viewsets.create_project", away)
    response = owner.post("/projects", {"name": "a"})
    assert_shape(response, 503, "SERVICE_UNAVAILABLE")
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("given", "kept"), [("abc.DEF-1_2", True), ("a" * 129, False), ("a b", False), ("ü", False), ("", False)]
)
def test_a_well_formed_request_id_is_kept_and_any_other_replaced(owner: Api, given: str, kept: bool) -> None:
    answer = owner.get("/projects", x_request_id=given)
    assert (answer.headers["X-Request-ID"] == given) is kept
    assert answer.headers["X-Request-ID"]


# Every route with an id in its path: how to ask, and with which body. A route that is not here fails the test.
ROUTES: dict[str, list[tuple[str, Any]]] = {
    "projects/<str:project_id>": [("GET", None)],
    "projects/<str:project_id>/jobs": [("GET", None), ("POST", {})],
    "projects/<str:project_id>/template": [("GET", None), ("POST", {"footer": "x"})],
    "jobs/<str:job_id>": [("GET", None), ("DELETE", None)],
    "jobs/<str:job_id>/upload": [("POST", {"filename": "a", "size_bytes": 1, "mime_type": "video/mp4"})],
    "jobs/<str:job_id>/confirm-upload": [("POST", {"video_uri": "local://x"})],
    "jobs/<str:job_id>/run": [("POST", None)],
    "jobs/<str:job_id>/retry": [("POST", {"model_profile": "extractive", "client_request_id": "r-1"})],
    "jobs/<str:job_id>/cancel": [("POST", None)],
    "jobs/<str:job_id>/events": [("GET", None)],
    "jobs/<str:job_id>/transcript": [("GET", None)],
    "jobs/<str:job_id>/screen-events": [("GET", None)],
    r"^jobs/(?P<job_id>[^/]+)/transcript\.(?P<suffix>srt|vtt)$": [("GET", None)],
    "instructions/<str:instruction_id>": [("GET", None), ("PUT", {"base_version": 1, "markdown": ""})],
    "instructions/<str:instruction_id>/versions": [("GET", None)],
    "instructions/<str:instruction_id>/steps": [("GET", None)],
    "instructions/<str:instruction_id>/regenerate": [("POST", {})],
    "tasks/<str:task_id>": [("GET", None)],
    "instructions/<str:instruction_id>/diff": [("GET", None)],
    "instructions/<str:instruction_id>/compare": [("GET", None)],
    "instructions/<str:instruction_id>/restore": [("POST", {"version": 1, "base_version": 1})],
    "instructions/<str:instruction_id>/edits": [
        ("POST", {"base_version": 1, "operations": [{"op": "insert_step", "after": None, "title": "a"}]})
    ],
    "instructions/<str:instruction_id>/anchors": [("GET", None), ("POST", {})],
    "anchors/<str:anchor_id>": [("GET", None)],
    "anchors/<str:anchor_id>/annotations": [("POST", {"base_asset_id": "x", "operations": []})],
    "anchors/<str:anchor_id>/replace": [("POST", {})],
    "anchors/<str:anchor_id>/attach-upload": [("POST", {"upload_id": "x", "instruction_version_id": "x"})],
    "anchors/<str:anchor_id>/assets/<str:asset_id>": [("DELETE", None)],
    "jobs/<str:job_id>/redactions": [("GET", None), ("POST", {})],
    "redactions/<str:redaction_id>": [("DELETE", None)],
    "jobs/<str:job_id>/screenshots/extract": [("POST", {})],
    "jobs/<str:job_id>/screenshots/suggestions": [("GET", None)],
    "jobs/<str:job_id>/redactions/suggestions": [("GET", None)],
    "jobs/<str:job_id>/redactions/suggestions/accept": [("POST", {})],
    "jobs/<str:job_id>/screenshots/auto": [("POST", {"instruction_version_id": "x"})],
    "jobs/<str:job_id>/screenshots/uploads": [("POST", {})],
    "jobs/<str:job_id>/screenshots/uploads/<str:upload_id>/confirm": [("POST", {})],
    "screenshot-tasks/<str:task_id>": [("GET", None)],
    "assets/<str:asset_id>/content": [("GET", None)],
    "jobs/<str:job_id>/exports": [("GET", None), ("POST", {})],
    "exports/<str:export_id>": [("GET", None)],
    "exports/<str:export_id>/manifest": [("GET", None)],
}
# What a route's query has to have.
QUERIES = {
    "instructions/<str:instruction_id>/diff": "from=1&to=1",
    "instructions/<str:instruction_id>/compare": f"with={MISSING}",
}
CALLS = [(route, method, body) for route, calls in ROUTES.items() for method, body in calls]
PARAMETERS = (
    "project_id",
    "job_id",
    "instruction_id",
    "anchor_id",
    "asset_id",
    "redaction_id",
    "task_id",
    "export_id",
    "upload_id",
)
WITHOUT_OWNER = {
    "projects",
    "jobs",
    "options",
    "options/validate",
    "keys",
    "openapi.json",
    "files/uploads/<str:token>",
    "files/<str:token>",
    "internal/jobs/<str:job_id>/status",
}


def _routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, str | None]]:
    """Yield the pattern and the name of every route."""
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            yield from _routes(entry.url_patterns, route)
        else:
            yield route, entry.name


def _url(route: str, values: dict[str, str]) -> str:
    """Return the path of a route with these values in place of its parameters, and with its query."""
    return f"{_path(route, values)}?{QUERIES.get(route, '')}"


def _path(route: str, values: dict[str, str]) -> str:
    path = re.sub(
        r"<str:(\w+)>|\(\?P<(\w+)>[^)]*\)",
        lambda name: values.get(route, values[name[1] or name[2]]),
        route,
    )
    return "/" + re.sub(r"[\\^$]", "", path)


def test_every_route_is_in_the_table_of_the_leak_test() -> None:
    routes = [route for route, _ in _routes(get_resolver(urls.__name__).url_patterns)]
    api = {route.removeprefix("api/v1/") for route in routes if route.startswith("api/v1/")}
    assert api == set(ROUTES) | WITHOUT_OWNER
    beside = {route.partition("/")[0] for route in routes} - {"api"}
    assert beside == {"", "admin", "healthz", "readyz", "jobs", "sign-in", "sign-out"}


def test_every_route_has_a_name_of_its_own() -> None:
    routes = _routes(get_resolver(urls.__name__).url_patterns)
    names = [name for route, name in routes if not route.startswith("admin/")]
    assert None not in names
    assert len(names) == len(set(names))


def test_a_call_without_a_token_is_401_before_anything_else(db: None) -> None:
    for route, calls in ROUTES.items():
        path = _path(route, dict.fromkeys(PARAMETERS, MISSING) | {"suffix": "srt"})
        for method in [method for method, _ in calls] + ["PATCH"]:
            answer = Client().generic(method, f"/api/v1{path}?odd=1", b"{")
            assert_shape(answer, 401, "UNAUTHENTICATED")


@pytest.fixture
def everything(owner: Api) -> dict[str, str]:
    """One resource of each kind, the owner's, by the name of its path parameter; or by the route that takes another."""
    job = make_job(JobStatus.DRAFT_READY, owner=owner.user)
    anchor = make_anchor(job)
    make_activity(job)
    return {
        "project_id": str(job.project_id),
        "job_id": str(job.pk),
        "instruction_id": str(job.instruction_id),
        "anchor_id": str(anchor.pk),
        "asset_id": str(make_asset(job, anchor=anchor).pk),
        "redaction_id": str(make_redaction(job).pk),
        "task_id": str(make_screenshot_task(job).pk),
        "tasks/<str:task_id>": str(make_regenerate_task(job).pk),
        "export_id": str(make_export(job).pk),
        "upload_id": str(make_image_upload(job).pk),
        "suffix": "srt",
    }


@pytest.mark.parametrize(("route", "method", "body"), CALLS)
def test_a_foreign_a_missing_and_a_malformed_id_are_answered_alike(
    stranger: Api,
    everything: dict[str, str],
    route: str,
    method: str,
    body: Any,
    django_assert_num_queries: Any,
) -> None:
    name = next(name for name in PARAMETERS if f"{name}>" in route)
    seen = []
    name = route if route in everything else name
    for raw in (everything[name], MISSING, "odd", MISSING.upper(), "%00", "0"):
        with django_assert_num_queries(2):  # the user, and the one scoped look-up
            answer = stranger.call(method, _url(route, everything | {name: raw}), body)
        content = answer.json()
        content.pop("request_id")
        own = ("X-Request-ID", "RateLimit")  # each request's own: its id, and the count that goes down
        headers = {key: value for key, value in answer.headers.items() if key not in own}
        seen.append((answer.status_code, json.dumps(content), headers))
    assert seen[0][0] == 404
    assert all(one == seen[0] for one in seen)


@pytest.mark.parametrize(("route", "method", "body"), CALLS)
def test_an_unknown_query_parameter_is_refused_by_name_on_every_route(
    owner: Api, everything: dict[str, str], route: str, method: str, body: Any
) -> None:
    answer = owner.call(method, f"{_url(route, everything)}&odd=1", body)
    content = assert_shape(answer, 400, "VALIDATION_ERROR")
    assert content["details"]["errors"][0]["field"] == "odd"


@pytest.mark.parametrize("route", [route for route, calls in ROUTES.items() if calls[0][0] == "GET"])
def test_head_answers_as_get_does(owner: Api, everything: dict[str, str], route: str) -> None:
    url = _url(route, everything)
    head, get = owner.call("HEAD", url), owner.get(url)
    assert head.status_code == get.status_code < 500
    assert head.headers.get("Content-Type") == get.headers.get("Content-Type")


@pytest.mark.parametrize("route", ROUTES)
def test_options_names_the_methods_of_a_route(owner: Api, everything: dict[str, str], route: str) -> None:
    answer = owner.call("OPTIONS", _path(route, everything))
    assert answer.status_code == 200
    assert {method for method, _ in ROUTES[route]} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("path", ["projects", "jobs", "jobs?limit=5&status=CREATED"])
def test_head_of_a_list_knows_the_lists_parameters(owner: Api, path: str) -> None:
    assert owner.call("HEAD", f"/{path}").status_code == 200
    assert owner.call("HEAD", "/jobs?odd=1").status_code == 400


@pytest.mark.parametrize("act", ["run", "cancel"])
def test_a_call_that_takes_no_body_refuses_what_it_does_not_know(
    owner: Api, everything: dict[str, str], act: str
) -> None:
    for body in ({"odd": 1}, b"{"):
        answer = owner.post(f"/jobs/{everything['job_id']}/{act}", body)
        assert_shape(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("length", ["\u00b2", "-1", "1" * 5000, "1e3", " "])
def test_a_length_that_is_no_number_is_400(owner: Api, length: str) -> None:
    environment = {"CONTENT_LENGTH": length}
    answer = owner.client.generic("POST", "/api/v1/projects", b"", headers=owner.headers, **environment)
    assert answer.status_code in (400, 413)


@pytest.mark.parametrize(
    "form",
    ["multipart/form-data", "multipart/form-data; boundary=é", "multipart/form-data; boundary=" + "a" * 300],
)
def test_a_form_that_cannot_be_read_is_400(client: Client, db: None, form: str) -> None:
    assert_shape(client.generic("POST", "/admin/login/", b"a", content_type=form), 400, "VALIDATION_ERROR")
