"""How much JSON a body may hold, found before it is parsed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config.api import strict_json
from config.api.strict_json import MAX_VALUES, NotStrictJson, parse_object
from tests.factories import Api


@pytest.mark.parametrize(
    "value", ["1", "{}", "[]", '""', '"a,b"', '{"a": 1}', "[[[[]]]]", '"\\\\"', '"\\"["']
)
def test_a_body_of_too_many_values_is_refused_before_it_is_parsed(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strict_json.json, "loads", lambda *_, **__: pytest.fail("parsed"))
    with pytest.raises(NotStrictJson, match="values"):
        parse_object(('{"a": [' + ",".join([value] * (MAX_VALUES + 1)) + "]}").encode())


def test_of_too_many_strings_none_is_taken_out_to_count_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of five million it takes a second and a gigabyte."""
    monkeypatch.setattr(strict_json, "_STRING", None)
    with pytest.raises(NotStrictJson, match="values"):
        parse_object(('{"a": [' + ",".join(['""'] * (2 * MAX_VALUES)) + "]}").encode())


def test_text_is_one_value_whatever_it_says() -> None:
    said: dict[str, Any] = {"a": ',[{"\\' * MAX_VALUES, "b": [1] * 1000}
    assert parse_object(json.dumps(said).encode()) == said


def test_a_transcript_of_100000_segments_is_taken() -> None:
    segments = [
        {"start_ms": at, "end_ms": at + 1, "text": "First, this, then [that]."} for at in range(100_000)
    ]
    parse_object(json.dumps({"artifact_updates": {"transcript": {"segments": segments}}}).encode())


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 4300, "9" * 100_000])
def test_numbers_beyond_all_limits_are_400(owner: Api, number: str) -> None:
    """1e400 is infinite to Python, which reads no whole number of more than 4,300 digits."""
    for body in (f'{{"name": {number}}}', f'{{"name": "a", "odd": [{number}]}}'):
        refused = owner.post("/projects", body.encode())
        assert (refused.status_code, refused.json()["code"]) == (400, "VALIDATION_ERROR")
