"""The description of the API that the service itself gives away."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml
from django.test import Client

from config import description
from tests.served import ROOT

PATH = "/api/v1/openapi.json"


def test_many_at_once_get_the_same_bytes_of_one_generation(monkeypatch: pytest.MonkeyPatch) -> None:
    description._generated.cache_clear()
    made: list[Any] = []
    generator = description.DescriptionView.generator_class

    class Counting(generator):  # type: ignore[misc, valid-type]
        def get_schema(self, *args: Any, **kwargs: Any) -> Any:
            made.append(self)
            return super().get_schema(*args, **kwargs)

    monkeypatch.setattr(description.DescriptionView, "generator_class", Counting)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: Client(raise_request_exception=False).get(PATH), range(32)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == len(made) == 1


def test_the_description_is_the_one_in_spec() -> None:
    in_spec = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text())
    assert json.loads(Client().get(PATH).content) == json.loads(json.dumps(in_spec))


def test_a_description_that_is_known_is_not_sent_again() -> None:
    first = Client().get(PATH)
    assert first.headers["Cache-Control"] == "public, max-age=300"
    again = Client().get(PATH, headers={"if-none-match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert Client().get(PATH, headers={"if-none-match": '"other"'}).status_code == 200
