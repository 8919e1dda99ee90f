"""A picture is deleted: what is shown instead, and what stays."""

from __future__ import annotations

from typing import Any

import pytest

from anchors.models import Asset
from config.storage import storage
from jobs.models import AuditEvent
from jobs.states import JobStatus
from tests.desk import BLUR, Desk
from tests.factories import Api, force
from tests.races import at_once

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]

MISSING = "01a20000-0000-7000-8000-00000000abcd"


def delete(api: Api, anchor_id: str, asset_id: str) -> Any:
    return api.call("DELETE", f"/anchors/{anchor_id}/assets/{asset_id}")


def test_the_newest_picture_that_is_left_is_shown(desk: Desk) -> None:
    task = desk.picture()
    anchor_id, first = task["anchor_id"], task["asset_id"]
    drawn = desk.annotate(task, BLUR).json()["rendered_asset_id"]
    answer = delete(desk.api, anchor_id, drawn)
    assert answer.status_code == 200
    assert answer.json() == {"anchor_id": anchor_id, "deleted_asset_id": drawn, "active_asset_id": first}
    again = delete(desk.api, anchor_id, drawn)
    assert (again.status_code, again.json()["code"]) == (404, "RESOURCE_NOT_FOUND")
    assert delete(desk.api, anchor_id, first).json()["active_asset_id"] is None
    anchor = desk.api.get(f"/anchors/{anchor_id}").json()
    assert (anchor.get("active_asset_id"), anchor["assets"]) == (None, [])
    listed = desk.api.get(f"/instructions/{desk.document['id']}/anchors?include_deleted_assets=true").json()
    assert [asset["is_deleted"] for asset in listed[0]["assets"]] == [True, True]


def test_another_than_the_active_one_changes_nothing_else(desk: Desk) -> None:
    task = desk.picture()
    drawn = desk.annotate(task, BLUR).json()["rendered_asset_id"]
    assert delete(desk.api, task["anchor_id"], task["asset_id"]).json()["active_asset_id"] == drawn


def test_a_deletion_is_noted_and_the_bytes_stay(desk: Desk) -> None:
    task = desk.picture()
    delete(desk.api, task["anchor_id"], task["asset_id"])
    event = AuditEvent.objects.filter(job=desk.job).latest("pk")
    assert (event.event_type, event.actor_type) == ("SCREENSHOT_DELETED", "editor")
    assert event.data == {"asset_id": task["asset_id"]}
    assert storage().size(Asset.objects.get(pk=task["asset_id"]).uri)


def test_a_deleted_picture_can_be_taken_and_drawn_again(desk: Desk) -> None:
    task = desk.picture()
    drawn = desk.annotate(task, BLUR).json()["rendered_asset_id"]
    for asset_id in (drawn, task["asset_id"]):
        delete(desk.api, task["anchor_id"], asset_id)
    assert desk.annotate(task, BLUR).status_code == 400, "there is no such base"
    assert desk.extract().status_code == 202
    again = desk.picture()
    assert (again["task_id"], again["asset_id"] != task["asset_id"]) == (task["task_id"], True)
    assert desk.annotate(again, BLUR).json()["rendered_asset_id"] not in (drawn, task["asset_id"])


def test_a_picture_of_another_anchor_or_owner_is_not_there(desk: Desk, stranger: Api) -> None:
    task, other = desk.picture(), desk.picture(timestamp_ms=20_000)
    answers = [
        delete(desk.api, task["anchor_id"], MISSING),
        delete(desk.api, task["anchor_id"], "no-id"),
        delete(desk.api, MISSING, task["asset_id"]),
        delete(desk.api, task["anchor_id"], other["asset_id"]),
        delete(stranger, task["anchor_id"], task["asset_id"]),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
        (404, "RESOURCE_NOT_FOUND")
    }
    assert not Asset.objects.filter(is_deleted=True).exists()


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
def test_the_pictures_of_an_ended_job_stay(desk: Desk, status: JobStatus) -> None:
    task = desk.picture()
    force(desk.job, status)
    refused = delete(desk.api, task["anchor_id"], task["asset_id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")
    assert not Asset.objects.filter(is_deleted=True).exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_deletions_at_once_one_is_made(desk: Desk) -> None:
    task = desk.picture()
    answers = at_once(6, lambda _: delete(desk.api, task["anchor_id"], task["asset_id"]))
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 5
    assert AuditEvent.objects.filter(job=desk.job, event_type="SCREENSHOT_DELETED").count() == 1
