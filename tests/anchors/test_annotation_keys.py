"""`idempotency_key` of an annotation: what it was used for is remembered with the anchor."""

from __future__ import annotations

from typing import Any

import pytest

from anchors.models import AnnotationRequest, Asset
from tests.anchors.desk import BLUR, Desk
from tests.factories import Api

OTHER = {**BLUR, "style": {"mode": "solid"}}


@pytest.fixture
def desk(owner: Api) -> Desk:
    return Desk(owner)


def annotate(desk: Desk, task: dict[str, Any], operation: Any, key: str | None) -> Any:
    body = {"base_asset_id": task["asset_id"], "operations": [operation]}
    body |= {} if key is None else {"idempotency_key": key}
    return desk.api.post(f"/anchors/{task['anchor_id']}/annotations", body)


def test_the_same_key_and_operations_are_the_same_asset(desk: Desk) -> None:
    task = desk.picture()
    first, second = (annotate(desk, task, BLUR, "k-1") for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert AnnotationRequest.objects.count() == 1


def test_the_same_key_for_other_operations_is_refused_and_draws_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = desk.picture()
    drawn = annotate(desk, task, BLUR, "k-1").json()
    monkeypatch.setattr("anchors.services.annotation.render_annotations", lambda *_: pytest.fail("drawn"))
    refused = annotate(desk, task, OTHER, "k-1")
    assert (refused.status_code, refused.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert Asset.objects.filter(kind="ANNOTATED").count() == 1
    anchor = desk.api.get(f"/anchors/{task['anchor_id']}").json()
    assert anchor["active_asset_id"] == drawn["rendered_asset_id"]


def test_a_key_counts_though_the_picture_was_there_already(desk: Desk) -> None:
    task = desk.picture()
    assert annotate(desk, task, BLUR, None).status_code == 200
    assert annotate(desk, task, BLUR, "k-1").status_code == 200
    assert annotate(desk, task, OTHER, "k-1").status_code == 409


def test_a_key_of_another_anchor_is_another_key(desk: Desk) -> None:
    first = desk.picture()
    other = desk.picture(timestamp_ms=20_000)
    assert annotate(desk, first, BLUR, "k-1").status_code == 200
    assert annotate(desk, other, OTHER, "k-1").status_code == 200


def test_an_annotation_that_is_refused_leaves_its_key_free(desk: Desk) -> None:
    task = desk.picture()
    assert annotate(desk, task, {"op_type": "blur"}, "k-1").status_code == 400
    assert annotate(desk, task, BLUR, "k-1").status_code == 200
