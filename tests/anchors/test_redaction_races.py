"""Redactions that come while other work goes on, and pictures that cannot be redacted."""

from __future__ import annotations

from typing import Any

import pytest

from anchors.models import Anchor, Asset, RedactionRun, ScreenshotTask
from anchors.services import redactions
from anchors.services.annotation_tasks import request_annotation
from config.storage import storage
from exports.models import Export
from exports.services import rendering
from jobs.models import Job
from jobs.states import JobStatus
from tests.anchors.redacting import BADGE, anchor_of, colours, redact, take_back
from tests.desk import Desk
from tests.exports.asking import request_export
from tests.factories import force, perform, work_off

pytestmark = pytest.mark.slow


def look_alike(desk: Desk, task: dict[str, Any], at_ms: int) -> Asset:
    """Another picture of the anchor with the same bytes, active, of another time: a screen that stands still."""
    asset = Asset.objects.get(pk=task["asset_id"])
    asset.pk, asset._state.adding = None, True
    asset.version, asset.extracted_at_ms, asset.shown_until_ms = 50, at_ms, at_ms + 60
    asset.is_concealed = False
    copy = Asset.objects.create(
        **{
            field.attname: getattr(asset, field.attname)
            for field in Asset._meta.concrete_fields
            if field.attname not in ("id", "created_at", "commitment_salt")
        }
    )
    Anchor.objects.filter(pk=task["anchor_id"]).update(active_asset=copy)
    return copy


def test_an_export_that_is_overtaken_fails_and_can_be_asked_for_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.picture()
    asked = request_export(desk).json()

    def render_and_be_late(*arguments: Any, **options: Any) -> Any:
        rendered = render(*arguments, **options)
        redact(desk)
        return rendered

    render = rendering.sandbox.call
    with monkeypatch.context() as patched:
        patched.setattr(rendering.sandbox, "call", render_and_be_late)
        perform(Export.objects.get(pk=asked["id"]))
    failed = desk.api.get(f"/exports/{asked['id']}").json()
    assert (failed["status"], failed["failure_code"]) == ("FAILED", "PICTURE_REDACTED")
    assert not Export.objects.exclude(artifact_uri="").exists()
    work_off()
    again = request_export(desk).json()
    work_off()
    assert desk.api.get(f"/exports/{again['id']}").json()["status"] == "SUCCEEDED"


def test_a_failed_export_takes_the_pictures_that_are_active_now(desk: Desk) -> None:
    task = desk.picture()
    asked = request_export(desk).json()
    redact(desk)
    work_off()
    look_alike(desk, task, 20_000)  # not in the span, and the same bytes: the same export
    again = request_export(desk)
    assert (again.status_code, again.json()["id"]) == (202, asked["id"])
    work_off()
    assert desk.api.get(f"/exports/{asked['id']}").json()["status"] == "SUCCEEDED"


def test_what_a_task_draws_on_a_picture_that_is_concealed_is_redacted(desk: Desk) -> None:
    task = desk.picture()
    anchor = Anchor.objects.get(pk=task["anchor_id"])
    asked = {"base_asset_id": task["asset_id"], "operations": [BADGE]}
    drawing, _ = request_annotation(anchor=anchor, user=desk.api.user, **asked)
    other = {"base_asset_id": task["asset_id"], "operations": [{**BADGE, "style": {"label": "2"}}]}
    request_annotation(anchor=anchor, user=desk.api.user, **other)
    desk.annotate(task, BADGE)  # the same as the first task, and before it
    redact(desk)
    work_off()
    done = ScreenshotTask.objects.select_related("asset").filter(operation="annotate")
    assert {one.status for one in done} == {"SUCCEEDED"}
    assert all(one.asset and not one.asset.is_concealed for one in done)
    assert {colours(str(one.asset_id)) for one in done} == {1}
    assert anchor_of(desk, task)["active_asset_id"] in {str(one.asset_id) for one in done}


def test_one_picture_that_cannot_be_redacted_keeps_no_other_from_it(desk: Desk) -> None:
    first, second = desk.picture(timestamp_ms=9_500), desk.picture(timestamp_ms=10_500)
    storage().delete(Asset.objects.get(pk=first["asset_id"]).uri)
    redact(desk)
    work_off()
    (listed,) = desk.api.get(f"/jobs/{desk.job.pk}/redactions").json()
    assert (listed["status"], listed["failure_code"]) == ("FAILED", "ASSET_MISSING")
    assert colours(anchor_of(desk, second)["active_asset_id"]) == 1
    assert request_export(desk).status_code == 503
    deleted = desk.api.call("DELETE", f"/anchors/{first['anchor_id']}/assets/{first['asset_id']}")
    assert (deleted.status_code, deleted.json()["active_asset_id"]) == (200, None)
    assert request_export(desk).status_code == 202


def test_a_redaction_that_comes_while_the_run_fails_is_not_lost(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.picture(timestamp_ms=10_000)
    later = desk.picture(timestamp_ms=20_000, block_id=None, char_range={"start_offset": 0, "end_offset": 5})
    redact(desk)
    seen: list[Any] = []

    def fail_first(*arguments: Any, **options: Any) -> Any:
        if not seen:
            seen.append(redact(desk, 19_000, 21_000))
            raise ValueError("a mistake of ours")
        return draw(*arguments, **options)

    draw = redactions.draw_on_asset
    monkeypatch.setattr(redactions, "draw_on_asset", fail_first)
    monkeypatch.setattr("config.work.models.RETRY_DELAYS", ())
    work_off()
    assert RedactionRun.objects.get().status == "SUCCEEDED"
    assert colours(anchor_of(desk, later)["active_asset_id"]) == 1


def test_of_frames_that_look_alike_each_is_drawn_on(desk: Desk) -> None:
    task = desk.picture()
    other = look_alike(desk, task, 20_000)
    desk.annotate({**task, "asset_id": str(other.pk)}, BADGE)
    made = redact(desk, 19_000, 21_000)
    work_off()
    assert desk.annotate(task, BADGE).status_code == 200
    take_back(desk, made)
    work_off()
    assert not Asset.objects.filter(is_concealed=True, is_rendering=False).exists()


def test_a_job_with_redacted_pictures_can_be_deleted(desk: Desk) -> None:
    task = desk.picture()
    look_alike(desk, task, 10_000)
    redact(desk)
    work_off()
    assert Asset.objects.filter(is_rendering=True).values("ops_hash").distinct().count() == 1
    force(desk.job, JobStatus.CANCELLED)
    assert desk.api.call("DELETE", f"/jobs/{desk.job.pk}").status_code in (202, 204)
    work_off()
    assert not Job.objects.filter(pk=desk.job.pk).exists()


def test_of_what_is_left_the_newest_frame_is_shown(desk: Desk) -> None:
    task = desk.picture(timestamp_ms=10_000)
    for at_ms in (20_000, 30_000):
        desk.replace(task["anchor_id"], timestamp_ms=at_ms)
        work_off()
    redact(desk)  # the rendering of the oldest has the highest number
    work_off()
    active = anchor_of(desk, task)["active_asset_id"]
    desk.api.call("DELETE", f"/anchors/{task['anchor_id']}/assets/{active}")
    assert Asset.objects.get(pk=anchor_of(desk, task)["active_asset_id"]).extracted_at_ms == 20_000


def test_redactions_of_a_job_that_was_cancelled_stay_as_they_are(desk: Desk) -> None:
    made = redact(desk)
    force(desk.job, JobStatus.CANCELLED)
    for refused in (redact(desk), take_back(desk, made)):
        assert (refused.status_code, refused.json()["code"]) == (409, "FSM_TERMINAL_IMMUTABLE")
    assert desk.job.redactions.count() == 1


def test_taking_a_redaction_back_asks_no_more_for_more_pictures(
    desk: Desk, django_assert_max_num_queries: Any
) -> None:
    for at_ms in (9_200, 9_600, 10_000, 10_400, 10_800):
        desk.picture(timestamp_ms=at_ms)
    made = redact(desk)
    work_off()
    with django_assert_max_num_queries(25):
        take_back(desk, made)
