"""A 400 names every wrong field of a body or query at once, by its whole path, and does not grow with the body."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from config import urls
from config.api.errors import MAX_ERRORS
from config.api.serializers import StrictSerializer, validate
from config.api.translation import listed
from jobs.api.callback import CallbackBody
from jobs.api.serializers import JobBody, JobQuery, ProjectBody
from jobs.states import JobStatus
from tests.factories import Api, make_job

assert urls  # which loads the serializers of every app
MORE = "more_errors"
UNKNOWN = "unknown_field"


class Point(StrictSerializer):
    x = serializers.IntegerField(min_value=0)
    y = serializers.IntegerField()


class Drawing(StrictSerializer):
    name = serializers.CharField(max_length=3)
    tags = serializers.ListField(child=serializers.CharField(max_length=3), required=False)
    points = Point(many=True, required=False)
    extra = serializers.DictField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["name"] == "bad":
            raise serializers.ValidationError("The name does not fit.")
        return attrs


def wrong(shape: type[StrictSerializer], data: Any, *, is_query: bool = False) -> list[tuple[str, str]]:
    return [(error["field"], error["code"]) for error in errors_of(shape, data, is_query=is_query)]


def errors_of(shape: type[StrictSerializer], data: Any, *, is_query: bool = False) -> list[dict[str, str]]:
    with pytest.raises(ValidationError) as raised:
        validate(shape, data, is_query=is_query)
    return listed(raised.value.detail)


def numbered(count: int) -> dict[str, int]:
    return {f"odd_{number}": 1 for number in range(count)}


def test_wrong_values_wrong_types_and_unknown_fields_are_named_together(owner: Api) -> None:
    job = make_job(JobStatus.DRAFT_READY, owner=owner.user)
    char_range = {"start_offset": "0", "zzz": 1}
    body = {
        "instruction_version_id": 5,
        "addressing": {"address_type": "nope", "char_range": char_range, "block_id": "x", "odd": 1},
        "zzz": 1,
    }
    answer = owner.post(f"/instructions/{job.instruction_id}/anchors", body)
    assert answer.status_code == 400
    assert {(error["field"], error["code"]) for error in answer.json()["details"]["errors"]} == {
        ("instruction_version_id", "wrong_type"),
        ("addressing.address_type", "invalid_choice"),
        ("addressing.block_id", "invalid"),
        ("addressing.char_range.start_offset", "wrong_type"),
        ("addressing.char_range.end_offset", "required"),
        ("addressing.char_range.zzz", UNKNOWN),
        ("addressing.odd", UNKNOWN),
        ("zzz", UNKNOWN),
    }


def test_wrong_options_are_named_beside_unknown_ones(owner: Api) -> None:
    body = {"options": {"model_profile": "nope", "zzz": 1, "auto_screenshots": "yes"}}
    found = owner.post("/options/validate", body).json()["errors"]
    assert [(error["field"], error["code"]) for error in found] == [
        ("options.model_profile", "invalid_choice"),
        ("options.auto_screenshots", "wrong_type"),
        ("options.zzz", UNKNOWN),
    ]


def test_what_is_wrong_in_lists_is_named_by_its_index() -> None:
    data = {
        "name": "too long",
        "tags": ["ok", 5, "too long", None],
        "points": [{"x": 1, "y": 2}, {"x": -1, "y": "2", "z": 3}, 7, {"x": 1}],
        "extra": [],
    }
    assert sorted(wrong(Drawing, data)) == [
        ("extra", "wrong_type"),
        ("name", "max_length"),
        ("points.1.x", "min_value"),
        ("points.1.y", "wrong_type"),
        ("points.1.z", UNKNOWN),
        ("points.2", "wrong_type"),
        ("points.3.y", "required"),
        ("tags.1", "wrong_type"),
        ("tags.2", "max_length"),
        ("tags.3", "null"),
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", 1), ("tags", "ok"), ("tags", {}), ("points", {}), ("points", [[]]), ("extra", "x")],
)
def test_a_value_of_a_wrong_type_is_named_once(field: str, value: Any) -> None:
    ((path, code),) = wrong(Drawing, {"name": "ok", field: value})
    assert (path.split(".")[0], code) == (field, "wrong_type")


def test_fields_are_held_against_one_another_only_when_each_is_right() -> None:
    assert wrong(Drawing, {"name": "bad"}) == [("body", "invalid")]
    assert wrong(Drawing, {"name": "bad", "odd": 1}) == [("odd", UNKNOWN)]
    assert wrong(Drawing, {"name": "bad", "extra": 1}) == [("extra", "wrong_type")]


def test_all_wrong_parameters_of_a_query_are_named(owner: Api) -> None:
    answer = owner.get("/jobs?limit=0&status=CREATED&status=nope&odd=1&more=2&created_after=x")
    assert [(error["field"], error["code"]) for error in answer.json()["details"]["errors"]] == [
        ("limit", "min_value"),
        ("status.1", "invalid_choice"),
        ("created_after", "invalid"),
        ("odd", UNKNOWN),
        ("more", UNKNOWN),
    ]


@pytest.mark.parametrize("name", ["non_field_errors", "message", "code", "detail", "a.b", "fields"])
def test_an_unknown_field_is_named_whatever_its_name(name: str) -> None:
    both = {"message": 1, "code": 2, name: 3}
    assert wrong(JobBody, {"options": both}) == [(f"options.{one}", UNKNOWN) for one in both]


def test_twenty_errors_are_named_and_the_others_counted() -> None:
    assert len(errors_of(ProjectBody, {"name": "a", **numbered(MAX_ERRORS)})) == MAX_ERRORS
    found = errors_of(ProjectBody, {"name": "", **numbered(5000)})
    assert [error["field"] for error in found[:3]] == ["name", "odd_0", "odd_1"]
    assert found[MAX_ERRORS:] == [{"field": "body", "code": MORE, "message": "and 4981 more."}]


def test_the_count_stands_under_the_place_of_what_it_counts(owner: Api) -> None:
    body = {"options": {"title": "", **numbered(30)}}
    asked = owner.post("/options/validate", body)
    assert (asked.status_code, len(asked.json()["errors"])) == (200, MAX_ERRORS + 1)
    last = asked.json()["errors"][-1]
    assert (last["field"], last["code"], last["message"]) == ("options", MORE, "and 11 more.")
    assert last["hint"].startswith("The options are")
    elsewhere = owner.post("/options/validate", body | numbered(7))
    assert elsewhere.status_code == 400
    last = elsewhere.json()["details"]["errors"][-1]
    assert (last["field"], last["message"]) == ("body", "and 18 more.")


def test_two_mebibytes_of_unknown_fields_get_a_short_answer(owner: Api) -> None:
    body = json.dumps({f"{number:x}": 1 for number in range(175_000)}).encode()
    assert 1.9 * 2**20 < len(body) <= 2 * 2**20
    start = time.process_time()
    json.loads(body)
    read = time.process_time()
    answer = owner.post("/projects", body)
    refused = time.process_time()
    assert (answer.status_code, len(answer.content) < 4096) == (400, True)
    assert refused - read < 15 * (read - start)  # an error object a field takes over 50 times as long


def test_a_field_that_is_two_mebibytes_long_is_not_sent_back_whole() -> None:
    ((field, code),) = wrong(ProjectBody, {"name": "a", "x" * 2**21: 1})
    assert (field[:10], code, len(field) <= 200) == ("x" * 10, UNKNOWN, True)


def test_requests_that_share_a_serializer_do_not_see_one_another() -> None:
    def ask(number: int) -> list[str]:
        try:
            validate(Drawing, {"name": "ok"} if number % 2 else {"name": 5, f"odd_{number}": 1})
        except ValidationError as error:
            return [found["field"] for found in listed(error.detail)]
        return []

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(400)))
    assert answers == [[] if number % 2 else ["name", f"odd_{number}"] for number in range(400)]


def subclasses(shape: type[StrictSerializer]) -> Iterator[type[StrictSerializer]]:
    for one in shape.__subclasses__():
        yield one
        yield from subclasses(one)


APPS = {"config", "jobs", "instructions", "anchors", "exports"}
SHAPES = sorted(
    {shape for shape in subclasses(StrictSerializer) if shape.__module__.split(".")[0] in APPS},
    key=lambda shape: (shape.__module__, shape.__name__),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def test_the_shapes_of_every_app_are_tried() -> None:
    assert {CallbackBody, JobBody, JobQuery} <= set(SHAPES)
    assert {shape.__module__.split(".")[0] for shape in SHAPES} == APPS


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@budget(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_json_is_taken_or_refused_with_every_unknown_field_named(
    shape: type[StrictSerializer], data: Any
) -> None:
    names = list(shape._declared_fields)
    known = data.draw(st.dictionaries(st.sampled_from(names), JSON, max_size=4)) if names else {}
    unknown = data.draw(st.dictionaries(st.from_regex(r"odd_[a-z]{1,3}", fullmatch=True), JSON, max_size=3))
    try:
        validate(shape, known | unknown)
    except ValidationError as error:
        found = listed(error.detail)
        assert all(one["code"] == one["code"].lower() and one["field"] and one["message"] for one in found)
        assert set(unknown) <= {one["field"] for one in found if one["code"] == UNKNOWN}
    else:
        assert not unknown
