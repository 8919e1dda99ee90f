"""Drawing on a picture, over HTTP, and what an `idempotency_key` of it was used for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from anchors.models import AnnotationRequest, Asset
from config.locks import media_place
from config.storage import kept_folder, storage
from tests.desk import BLUR, Desk
from tests.races import at_once
from tests.sandbox_engines import break_down

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]


def test_an_annotation_is_drawn_once_and_becomes_active(desk: Desk) -> None:
    task = desk.picture()
    first = desk.annotate(task, BLUR)
    assert first.status_code == 200, first.content
    done = first.json()
    assert done["active_asset_id"] == done["rendered_asset_id"] != task["asset_id"]
    assert desk.annotate(task, BLUR).json() == done
    assert Asset.objects.filter(kind="ANNOTATED").count() == 1
    asset = Asset.objects.get(pk=done["rendered_asset_id"])
    assert (asset.rendered_from_id, asset.ops_hash) == (
        Asset.objects.get(pk=task["asset_id"]).pk,
        done["ops_hash"],
    )


def test_bad_operations_are_named(desk: Desk) -> None:
    response = desk.annotate(
        desk.picture(), {"op_type": "blur", "geometry": {"x": 2, "y": 0, "width": 1, "height": 1}}
    )
    assert response.status_code == 400
    assert response.json()["details"]["errors"][0]["field"].startswith("operations.0.geometry")


def test_thousands_of_errors_in_operations_are_listed_in_part(desk: Desk) -> None:
    unknown = {"op_type": "blur", "geometry": {f"key{i}": 0 for i in range(500)}}
    response = desk.annotate(desk.picture(), *[unknown] * 4)
    assert response.status_code == 400, response.content
    assert len(response.json()["details"]["errors"]) == 21


def stored(desk: Desk) -> list[str]:
    """All that is kept for the job."""
    return sorted(storage().old_files(kept_folder(desk.job.pk), timedelta(seconds=-2)))


def test_a_render_that_fails_leaves_nothing_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    task = desk.picture()
    before = stored(desk)
    monkeypatch.setattr("anchors.services.drawing.draw_on_file", break_down)
    response = desk.annotate(task, BLUR)
    assert (response.status_code, response.json()["code"]) == (500, "INTERNAL_ERROR")
    assert stored(desk) == before
    assert desk.api.get(f"/anchors/{task['anchor_id']}").json()["active_asset_id"] == task["asset_id"]


OTHER = {**BLUR, "style": {"mode": "solid"}}


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
    monkeypatch.setattr("anchors.services.annotation._draw", lambda *_: pytest.fail("drawn"))
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


def test_an_annotation_of_an_ended_job_draws_and_keeps_nothing(desk: Desk) -> None:
    task = desk.picture()
    assert desk.api.post(f"/jobs/{desk.job.pk}/cancel").status_code == 200
    before = stored(desk)
    refused = desk.annotate(task, BLUR)
    assert (refused.status_code, refused.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")
    assert stored(desk) == before


@pytest.mark.django_db(transaction=True)
def test_who_has_media_read_already_may_not_have_more_drawn(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.locks.MAX_MEDIA_CALLS", 1)
    task = desk.picture()
    with media_place(desk.api.user.pk):
        (refused,) = at_once(1, lambda _: desk.annotate(task, BLUR))
    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
    assert not Asset.objects.filter(kind="ANNOTATED").exists()
    with media_place(uuid4()):
        (drawn,) = at_once(1, lambda _: desk.annotate(task, BLUR))
    assert drawn.status_code == 200
