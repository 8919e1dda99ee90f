"""The moments that are suggested for the steps of a guide, and the pictures that are made at them."""

from __future__ import annotations

from typing import Any

import pytest

from anchors.models import Anchor, Asset, ScreenActivity, ScreenshotTask
from anchors.services.job_hooks import watch_video
from config.work.models import WorkFailed
from instructions.hooks import DRAFTED
from jobs.hooks import JOB_STARTED
from jobs.models import Job
from jobs.states import JobStatus
from tests.desk import Desk
from tests.factories import Api, make_job, make_video, perform, report, work_off
from tests.pictures import QUIET, make_activity
from tests.races import at_once

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]

MISSING = "01a20000-0000-7000-8000-00000000abcd"


def suggestions(desk: Desk) -> Any:
    return desk.api.get(f"/jobs/{desk.job.pk}/screenshots/suggestions")


def auto(desk: Desk, **changed: Any) -> Any:
    body = {"instruction_version_id": desk.version_id, **changed}
    return desk.api.post(f"/jobs/{desk.job.pk}/screenshots/auto", body)


def steps(desk: Desk) -> Any:
    return desk.api.get(f"/instructions/{desk.document['id']}/steps").json()


def test_a_video_that_was_not_looked_at_is_looked_at_first(desk: Desk) -> None:
    early = suggestions(desk)
    assert (early.status_code, early.json()["code"], early["Retry-After"]) == (
        409,
        "SCREEN_EVENTS_NOT_READY",
        "5",
    )
    assert auto(desk).status_code == 409
    assert not Anchor.objects.exists()
    work_off()
    row = ScreenActivity.objects.get(job=desk.job)
    assert (row.status, row.activity["last_ms"] > 48_000, row.key_frames) == ("SUCCEEDED", True, [])
    found = suggestions(desk).json()
    assert [each["block_id"] for each in found] == [step["block_id"] for step in steps(desk)]
    assert all(0 <= each["timestamp_ms"] <= 48_933 for each in found)
    assert work_off() == 0


def test_a_video_that_cannot_be_read_leaves_the_starts_of_the_steps(desk: Desk) -> None:
    make_activity(desk.job, activity=None)
    found = suggestions(desk).json()
    starts = [step["start_ms"] for step in steps(desk)]
    assert [(each["timestamp_ms"], each["score"], each["reason"]) for each in found] == [
        (start, 0.0, "step_start") for start in starts
    ]


def test_a_job_without_a_document_has_no_steps(owner: Api) -> None:
    job = make_job(JobStatus.UPLOADED, owner=owner.user)
    assert owner.get(f"/jobs/{job.pk}/screenshots/suggestions").json() == []
    body = {"instruction_version_id": MISSING}
    refused = owner.post(f"/jobs/{job.pk}/screenshots/auto", body)
    assert (refused.status_code, refused.json()["details"]["errors"][0]["field"]) == (
        400,
        "instruction_version_id",
    )


def test_each_step_without_a_picture_gets_one(desk: Desk) -> None:
    make_activity(desk.job)
    asked = auto(desk)
    assert asked.status_code == 202
    assert asked["Location"].endswith(f"/instructions/{desk.document['id']}/anchors")
    work_off()
    again = auto(desk)
    assert again.status_code == 200
    assert [task["task_id"] for task in again.json()] == [task["task_id"] for task in asked.json()]
    assert {task["status"] for task in again.json()} == {"SUCCEEDED"}
    wanted = {each["block_id"]: each["timestamp_ms"] for each in suggestions(desk).json()}
    assert wanted
    for step in steps(desk):
        (anchor_id,) = step["anchor_ids"]
        shown = Anchor.objects.get(pk=anchor_id).active_asset
        assert shown is not None and shown.extracted_at_ms is not None and shown.shown_until_ms is not None
        at_ms = wanted[step["block_id"]]
        assert shown.extracted_at_ms <= at_ms < shown.shown_until_ms


def test_a_step_that_has_a_picture_keeps_it(desk: Desk) -> None:
    make_activity(desk.job)
    by_hand = desk.picture()
    tasks = auto(desk).json()
    assert len(tasks) == len(steps(desk)) - 1
    assert by_hand["task_id"] not in {task["task_id"] for task in tasks}
    assert Anchor.objects.get(pk=by_hand["anchor_id"]).assets.count() == 1


def test_a_picture_that_failed_or_was_deleted_is_taken_again(desk: Desk) -> None:
    make_activity(desk.job)
    first, *_ = auto(desk).json()
    work_off()
    done = desk.api.get(f"/screenshot-tasks/{first['task_id']}").json()
    desk.api.call("DELETE", f"/anchors/{done['anchor_id']}/assets/{done['asset_id']}")
    again = auto(desk)
    assert (again.status_code, again.json()[0]["task_id"], again.json()[0]["status"]) == (
        202,
        first["task_id"],
        "PENDING",
    )
    ScreenshotTask.objects.filter(pk=first["task_id"]).update(status="FAILED", failure_code="X")
    assert auto(desk).status_code == 202
    work_off()
    assert auto(desk).status_code == 200


def test_a_later_version_finds_the_pictures_of_the_earlier_one(desk: Desk) -> None:
    make_activity(desk.job)
    asked = auto(desk).json()
    work_off()
    saved = desk.api.put(
        f"/instructions/{desk.document['id']}",
        {"base_version": 1, "markdown": desk.document["markdown"] + "\n## Step 99: More\n\nDo more.\n"},
    ).json()
    later = auto(desk, instruction_version_id=saved["instruction_version_id"])
    assert later.status_code == 202
    assert [task["task_id"] for task in later.json()[:-1]] == [task["task_id"] for task in asked]
    assert later.json()[-1]["status"] == "PENDING"


def test_auto_opens_the_document_and_refuses_an_ended_job(owner: Api) -> None:
    desk = Desk(owner, JobStatus.DRAFT_READY)
    make_activity(desk.job)
    auto(desk)
    assert Job.objects.get(pk=desk.job.pk).status == JobStatus.EDITING
    ended = Desk(owner, JobStatus.CANCELLED)
    make_activity(ended.job)
    assert auto(ended).json()["code"] == "FSM_TERMINAL_IMMUTABLE"
    assert auto(desk, instruction_version_id=MISSING).status_code == 400
    assert auto(desk, odd=1).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_of_calls_at_once_one_asks_for_the_pictures(desk: Desk) -> None:
    make_activity(desk.job)
    answers = at_once(6, lambda _: auto(desk))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [202]
    assert ScreenshotTask.objects.count() == Anchor.objects.count() == len(steps(desk))


def test_a_draft_gets_its_pictures_without_a_call(owner: Api) -> None:
    job = make_job(JobStatus.GENERATING, owner=owner.user, auto_screenshots=True)
    make_video(job)
    for started in JOB_STARTED:
        started(job)
    assert ScreenActivity.objects.get(job=job).makes_pictures is False
    report(job, JobStatus.DRAFT_READY)
    work_off()
    job = Job.objects.get(pk=job.pk)
    assert job.status == JobStatus.DRAFT_READY  # it is no first write of the owner
    listed = owner.get(f"/instructions/{job.instruction_id}/steps").json()
    assert len(listed) == Asset.objects.filter(job=job).count() > 0
    for step in listed:
        (anchor_id,) = step["anchor_ids"]
        assert owner.get(f"/anchors/{anchor_id}").json()["active_asset_id"]


def test_a_draft_of_a_video_that_was_looked_at_gets_its_pictures(owner: Api) -> None:
    job = make_job(JobStatus.GENERATING, owner=owner.user, auto_screenshots=True)
    make_video(job)
    row = make_activity(job)
    report(job, JobStatus.DRAFT_READY)
    assert ScreenActivity.objects.get(pk=row.pk).status == "PENDING"
    perform(ScreenActivity.objects.get(pk=row.pk))
    assert ScreenshotTask.objects.filter(job=job, is_auto=True, status="PENDING").exists()


def test_a_draft_that_comes_meanwhile_gets_its_pictures(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from anchors.services import watching

    job = make_job(JobStatus.GENERATING, owner=owner.user, auto_screenshots=True)
    make_video(job)
    for started in JOB_STARTED:
        started(job)

    def look_and_be_late(*_: Any) -> Any:
        report(job, JobStatus.DRAFT_READY)
        return QUIET, []

    monkeypatch.setattr(watching, "_watch", look_and_be_late)
    perform(ScreenActivity.objects.get(job=job))
    assert ScreenshotTask.objects.filter(job=job, is_auto=True).exists()
    row = ScreenActivity.objects.get(job=job)
    assert (row.status, row.makes_pictures) == ("SUCCEEDED", False)


def test_a_draft_of_a_video_that_cannot_be_looked_at_gets_the_starts(owner: Api) -> None:
    job = make_job(JobStatus.DRAFT_READY, owner=owner.user, auto_screenshots=True)  # its video is no video
    perform(ScreenActivity.objects.get(job=job))
    row = ScreenActivity.objects.get(job=job)
    assert (row.status, row.failure_code, row.makes_pictures) == ("FAILED", "VIDEO_UNREADABLE", False)
    asked = ScreenshotTask.objects.filter(job=job, is_auto=True)
    starts = [step["start_ms"] for step in owner.get(f"/instructions/{job.instruction_id}/steps").json()]
    assert sorted(task.at_ms or 0 for task in asked) == sorted(starts)


def test_no_picture_is_made_where_the_options_say_so(owner: Api) -> None:
    job = make_job(JobStatus.DRAFT_READY, owner=owner.user, auto_screenshots=False)
    for hook in (*JOB_STARTED, *DRAFTED):
        hook(job)
    assert not ScreenActivity.objects.exists()


def test_a_job_that_is_cancelled_is_not_looked_at(owner: Api) -> None:
    job = make_job(JobStatus.GENERATING, owner=owner.user, auto_screenshots=True)
    for started in JOB_STARTED:
        started(job)
    owner.post(f"/jobs/{job.pk}/cancel")
    row = ScreenActivity.objects.get(job=job)
    assert (row.status, row.failure_code) == ("FAILED", "JOB_CANCELLED")


def test_a_draft_that_comes_while_the_watch_fails_gets_the_starts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anchors.services import watching

    row = ScreenActivity.objects.create(job=desk.job, owner_id=desk.job.owner_id, status="PENDING")
    seen: list[Any] = []

    def lock_and_be_late(job_id: Any) -> Any:
        job = lock(job_id)
        if not seen:
            seen.append(watch_video(job, makes_pictures=True))
        return job

    def fail(*_: Any) -> Any:
        raise WorkFailed("VIDEO_UNREADABLE", "It cannot be read.")

    lock = watching.lock_job
    monkeypatch.setattr(watching, "lock_job", lock_and_be_late)
    monkeypatch.setattr(watching, "_watch", fail)
    perform(row)
    row.refresh_from_db()
    assert (row.status, row.makes_pictures, Anchor.objects.count()) == ("FAILED", False, len(steps(desk)))


def test_more_pictures_than_an_owner_may_have_open_start_again_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_activity(desk.job)
    monkeypatch.setattr(ScreenshotTask, "MAX_OPEN_PER_OWNER", 1)
    assert auto(desk).status_code == 202
    assert auto(desk).status_code == 200
    ScreenshotTask.objects.update(status="FAILED", failure_code="STORAGE_FULL")
    assert auto(desk).status_code == 202
    assert ScreenshotTask.objects.filter(status="PENDING").count() == len(steps(desk))


def test_a_full_document_gets_no_more_pictures_by_the_pipeline(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anchors.services.auto.MAX_ANCHORS", 1)
    monkeypatch.setattr("anchors.services.anchors.MAX_ANCHORS", 1)
    row = make_activity(desk.job, makes_pictures=True)
    assert auto(desk).json()["details"]["errors"][0]["code"] == "too_many"
    ScreenActivity.objects.filter(pk=row.pk).update(status="PENDING")
    perform(row)
    assert ScreenActivity.objects.get(pk=row.pk).status == "SUCCEEDED"
    assert Anchor.objects.count() == 1


def test_the_video_of_an_ended_job_is_not_looked_at(owner: Api) -> None:
    desk = Desk(owner, JobStatus.CANCELLED)
    assert {each["reason"] for each in suggestions(desk).json()} == {"step_start"}
    assert not ScreenActivity.objects.exists()


def test_a_video_whose_watching_was_lost_is_looked_at_again(desk: Desk) -> None:
    row = make_activity(desk.job, activity=None)
    ScreenActivity.objects.filter(pk=row.pk).update(failure_code="WORKER_LOST")
    assert suggestions(desk).status_code == 409
    assert ScreenActivity.objects.get(pk=row.pk).status == "PENDING"
