"""An anchor gets another picture of the video."""

from __future__ import annotations

from typing import Any

import pytest

from anchors.models import Anchor, Asset, ScreenshotTask
from config.storage import storage
from jobs.models import AuditEvent, Job
from jobs.states import JobStatus
from tests.desk import BLUR, Desk
from tests.factories import Api, make_anchor, work_off
from tests.races import at_once

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]

MISSING = "01a20000-0000-7000-8000-00000000abcd"


def active(desk: Desk, anchor_id: str) -> Any:
    return desk.api.get(f"/anchors/{anchor_id}").json()["active_asset_id"]


def test_the_new_picture_follows_the_old_one_and_is_shown(desk: Desk) -> None:
    first = desk.picture()
    asked = desk.replace(first["anchor_id"])
    assert (asked.status_code, asked.json()["operation"]) == (202, "replace")
    assert asked["Location"].endswith(asked.json()["task_id"])
    work_off()
    task = desk.api.get(f"/screenshot-tasks/{asked.json()['task_id']}").json()
    assert (task["status"], task["anchor_id"]) == ("SUCCEEDED", first["anchor_id"])
    anchor = desk.api.get(f"/anchors/{first['anchor_id']}").json()
    shown = [(asset["id"], asset["version"], asset["previous_asset_id"]) for asset in anchor["assets"]]
    assert shown == [(first["asset_id"], 1, None), (task["asset_id"], 2, first["asset_id"])]
    assert anchor["active_asset_id"] == task["asset_id"]


def test_a_picture_that_exists_becomes_active_at_once(desk: Desk) -> None:
    anchor_id = desk.picture()["anchor_id"]
    second = desk.replace(anchor_id).json()
    work_off()
    taken = desk.api.get(f"/screenshot-tasks/{second['task_id']}").json()
    drawn = desk.annotate(taken, BLUR).json()["rendered_asset_id"]
    assert active(desk, anchor_id) == drawn
    count = Asset.objects.count()
    again = desk.replace(anchor_id)
    assert (again.status_code, again.json()["task_id"]) == (200, second["task_id"])
    assert active(desk, anchor_id) == taken["asset_id"]
    assert Asset.objects.count() == count
    desk.replace(anchor_id)
    assert AuditEvent.objects.filter(job=desk.job, event_type="SCREENSHOT_ACTIVATED").count() == 1


def test_it_is_the_same_task_as_an_extraction_for_the_anchor(desk: Desk) -> None:
    first = desk.picture()
    asked = desk.extract(block_id=None, anchor_id=first["anchor_id"], timestamp_ms=20_000).json()
    again = desk.replace(first["anchor_id"])
    assert (again.status_code, again.json()["task_id"]) == (200, asked["task_id"])


def test_a_replacement_that_failed_or_was_deleted_starts_again(desk: Desk) -> None:
    anchor_id = desk.picture()["anchor_id"]
    task_id = desk.replace(anchor_id).json()["task_id"]
    ScreenshotTask.objects.filter(pk=task_id).update(status="FAILED", failure_code="X")
    assert desk.replace(anchor_id).status_code == 202
    work_off()
    asset_id = desk.api.get(f"/screenshot-tasks/{task_id}").json()["asset_id"]
    desk.api.call("DELETE", f"/anchors/{anchor_id}/assets/{asset_id}")
    assert desk.replace(anchor_id).status_code == 202
    work_off()
    anchor = desk.api.get(f"/anchors/{anchor_id}").json()
    assert [asset["version"] for asset in anchor["assets"]] == [1, 3]


def test_an_idempotency_key_is_of_one_picture(desk: Desk) -> None:
    anchor_id = desk.picture()["anchor_id"]
    desk.replace(anchor_id, idempotency_key="k")
    assert desk.replace(anchor_id, idempotency_key="k").status_code == 200
    other = desk.replace(anchor_id, idempotency_key="k", timestamp_ms=1)
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_an_idempotency_key_of_a_picture_that_was_known_is_noted(desk: Desk) -> None:
    anchor_id = desk.picture()["anchor_id"]
    desk.replace(anchor_id)
    assert desk.replace(anchor_id, idempotency_key="k").status_code == 200
    other = desk.replace(anchor_id, idempotency_key="k", timestamp_ms=1)
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"instruction_version_id": MISSING}, "instruction_version_id"),
        ({"timestamp_ms": 48_934}, "timestamp_ms"),
        ({"timestamp_ms": -1}, "timestamp_ms"),
        ({"offset_ms": -20_001}, "timestamp_ms"),
        ({"strategy": "odd"}, "strategy"),
        ({"format": "gif"}, "format"),
        ({"block_id": MISSING}, "block_id"),
        ({"instruction_id": MISSING}, "instruction_id"),
    ],
)
def test_a_bad_request_names_its_field(desk: Desk, changed: dict[str, Any], field: str) -> None:
    anchor = make_anchor(desk.job)
    response = desk.replace(str(anchor.pk), **changed)
    assert response.status_code == 400, response.content
    assert response.json()["details"]["errors"][0]["field"] == field
    assert ScreenshotTask.objects.count() == 0


def test_the_document_of_an_ended_job_takes_no_picture(owner: Api) -> None:
    desk = Desk(owner, JobStatus.CANCELLED)
    assert desk.replace(str(make_anchor(desk.job).pk)).json()["code"] == "FSM_TERMINAL_IMMUTABLE"


def test_it_opens_the_document(owner: Api) -> None:
    desk = Desk(owner, JobStatus.DRAFT_READY)
    desk.replace(str(make_anchor(desk.job).pk))
    assert Job.objects.get(pk=desk.job.pk).status == JobStatus.EDITING


@pytest.mark.django_db(transaction=True)
def test_of_calls_at_once_one_makes_the_task(desk: Desk) -> None:
    anchor = make_anchor(desk.job)
    answers = at_once(6, lambda _: desk.replace(str(anchor.pk)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [202]
    assert ScreenshotTask.objects.count() == 1
    work_off()
    shown = Anchor.objects.select_related("active_asset").get(pk=anchor.pk).active_asset
    assert shown is not None
    assert storage().size(shown.uri) == shown.size_bytes
