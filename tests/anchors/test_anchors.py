"""Anchors over HTTP: put on a place, and found again in another version."""

from __future__ import annotations

from typing import Any

import pytest

from anchors.services import anchors
from tests.desk import Desk
from tests.errors import assert_shape

pytestmark = pytest.mark.both_storages


def test_an_anchor_is_put_on_a_block_or_a_range(desk: Desk) -> None:
    path = f"/instructions/{desk.document['id']}/anchors"
    ranged = {"address_type": "char_range", "char_range": {"start_offset": 50, "end_offset": 60}}
    for addressing in ({"address_type": "block_id", "block_id": desk.block_id}, ranged):
        made = desk.api.post(path, {"instruction_version_id": desk.version_id, "addressing": addressing})
        assert made.status_code == 201, made.content
        assert made.json()["addressing"] == addressing
    assert len(desk.api.get(path).json()) == 2
    mixed = {"address_type": "block_id", "char_range": {"start_offset": 0, "end_offset": 1}}
    refused = desk.api.post(path, {"instruction_version_id": desk.version_id, "addressing": mixed})
    assert refused.status_code == 400


@pytest.mark.parametrize(
    "address",
    [
        {"block_id": "01a20000-0000-7000-8000-00000000abcd"},
        {"char_range": {"start_offset": 9, "end_offset": 9}},
        {"char_range": {"start_offset": 0, "end_offset": 2**31 - 1}},
    ],
)
def test_a_place_that_is_not_there_is_named_by_its_whole_path(desk: Desk, address: dict[str, Any]) -> None:
    [name] = address
    body = {"instruction_version_id": desk.version_id, "addressing": {"address_type": name, **address}}
    answer = desk.api.post(f"/instructions/{desk.document['id']}/anchors", body)
    [error] = assert_shape(answer, 400, "VALIDATION_ERROR")["details"]["errors"]
    assert error["field"] == f"addressing.{name}"
    [error] = assert_shape(desk.extract(**{"block_id": None, **address}), 400, "VALIDATION_ERROR")["details"][
        "errors"
    ]
    assert error["field"] == name


def test_an_address_has_no_strategy_which_is_of_an_extraction(desk: Desk) -> None:
    addressing = {"address_type": "block_id", "block_id": desk.block_id, "strategy": "precise"}
    body = {"instruction_version_id": desk.version_id, "addressing": addressing}
    answer = desk.api.post(f"/instructions/{desk.document['id']}/anchors", body)
    [error] = assert_shape(answer, 400, "VALIDATION_ERROR")["details"]["errors"]
    assert (error["field"], error["code"]) == ("addressing.strategy", "unknown_field")


def test_an_anchor_is_resolved_into_another_version(desk: Desk) -> None:
    task = desk.picture()
    text = "Before everything.\n\n" + desk.document["markdown"]
    saved = desk.api.put(f"/instructions/{desk.document['id']}", {"base_version": 1, "markdown": text}).json()
    target = saved["instruction_version_id"]
    resolution = desk.api.get(f"/anchors/{task['anchor_id']}?target_instruction_version_id={target}").json()[
        "resolution"
    ]
    assert (resolution["resolution_state"], resolution["target_instruction_version_id"]) == ("retain", target)


def test_a_document_has_so_many_anchors_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "MAX_ANCHORS", 2)
    path = f"/instructions/{desk.document['id']}/anchors"
    body = {
        "instruction_version_id": desk.version_id,
        "addressing": {"address_type": "block_id", "block_id": desk.block_id},
    }
    first = desk.api.post(path, body)
    assert (first.status_code, desk.api.post(path, body).status_code) == (201, 201)
    in_range = {"block_id": None, "char_range": {"start_offset": 0, "end_offset": 5}}
    for field, refused in (
        ("addressing", desk.api.post(path, body)),
        ("block_id", desk.extract()),
        ("char_range", desk.extract(**in_range)),
    ):
        (error,) = refused.json()["details"]["errors"]
        assert (refused.status_code, error["field"], error["code"]) == (400, field, "too_many")
        assert refused.json()["hint"]
    assert desk.job.screenshot_tasks.count() == 0
    on_a_known_one = desk.extract(block_id=None, anchor_id=first.json()["id"])
    assert on_a_known_one.status_code == 202
