"""What is hidden in all pictures of a span of the video, those that are there and those to come."""

from __future__ import annotations

from typing import Any

import pytest

from anchors.models import Anchor, Asset, RedactionRun
from anchors.services import taking
from config.storage import storage
from jobs.models import AuditEvent
from jobs.states import JobStatus
from tests.anchors.redacting import BADGE, CROP, REGION, anchor_of, colours, content, image, redact, take_back
from tests.desk import Desk
from tests.factories import Api, force, perform, work_off

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]


def test_a_picture_that_is_there_is_given_to_nobody_and_then_redacted(desk: Desk) -> None:
    task = desk.picture()
    assert colours(task["asset_id"]) > 1
    made = redact(desk)
    assert (made.status_code, made.json()["status"]) == (201, "PENDING")
    assert content(desk, task["asset_id"]) == 404
    assert (anchor_of(desk, task)["active_asset_id"], anchor_of(desk, task)["assets"]) == (None, [])
    work_off()
    (shown,) = anchor_of(desk, task)["assets"]
    assert (anchor_of(desk, task)["active_asset_id"], shown["rendered_from_asset_id"]) == (
        shown["id"],
        task["asset_id"],
    )
    assert (content(desk, shown["id"]) in (200, 302), content(desk, task["asset_id"])) == (True, 404)
    assert colours(shown["id"]) == 1
    (listed,) = desk.api.get(f"/jobs/{desk.job.pk}/redactions").json()
    assert listed == {**made.json(), "status": "SUCCEEDED"}
    assert desk.api.get(f"/screenshot-tasks/{task['task_id']}").json()["asset_id"] == shown["id"]


def test_a_picture_that_is_taken_later_is_redacted_at_once(desk: Desk) -> None:
    assert redact(desk).json()["status"] == "SUCCEEDED"  # there is nothing to draw
    task = desk.picture()
    (shown,) = anchor_of(desk, task)["assets"]
    assert shown["id"] == task["asset_id"] == anchor_of(desk, task)["active_asset_id"]
    assert colours(shown["id"]) == 1
    original = Asset.objects.get(kind="EXTRACTED")
    assert (original.is_concealed, content(desk, str(original.pk))) == (True, 404)


def test_a_picture_outside_of_the_span_stays_as_it_is(desk: Desk) -> None:
    task = desk.picture(timestamp_ms=20_000)
    redact(desk)
    assert content(desk, task["asset_id"]) in (200, 302)
    assert work_off() == 0
    assert anchor_of(desk, task)["active_asset_id"] == task["asset_id"]


def test_a_redaction_that_comes_while_a_frame_is_taken_holds(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = desk.extract().json()

    def read_and_be_late(job_id: Any) -> Any:
        found = read(job_id)
        if not desk.job.redactions.exists():
            redact(desk)
        return found

    read = taking.hidden_parts
    monkeypatch.setattr(taking, "hidden_parts", read_and_be_late)
    work_off()
    taken = desk.api.get(f"/screenshot-tasks/{task['task_id']}").json()
    assert colours(taken["asset_id"]) == 1
    assert anchor_of(desk, taken)["active_asset_id"] == taken["asset_id"]


def test_what_was_drawn_on_a_picture_is_drawn_anew(desk: Desk) -> None:
    task = desk.picture()
    first = desk.annotate(task, BADGE).json()
    second = desk.annotate({**task, "asset_id": first["rendered_asset_id"]}, CROP).json()
    redact(desk)
    work_off()
    anchor = anchor_of(desk, task)
    active = Asset.objects.get(pk=anchor["active_asset_id"])
    assert str(active.redacts_id) == second["rendered_asset_id"]
    assert image(str(active.pk)).size == image(second["rendered_asset_id"]).size
    assert colours(str(active.pk), inside={"x": 0.2, "y": 0.2, "width": 0.6, "height": 0.6}) == 1
    assert len(anchor["assets"]) == 3
    badge = {"x": 0.07, "y": 0.07, "width": 0.06, "height": 0.06}
    drawn = anchor["assets"][1]["id"]
    assert colours(drawn, inside=badge) > 1
    assert {asset.pk for asset in Asset.objects.filter(is_concealed=False)} == {
        asset.pk for asset in Asset.objects.exclude(redacts=None)
    }


def test_what_is_drawn_on_a_concealed_picture_is_drawn_on_its_redacted_one(desk: Desk) -> None:
    task = desk.picture()
    redact(desk)
    early = desk.annotate(task, BADGE)
    assert (early.status_code, early.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    work_off()
    drawn = desk.annotate(task, BADGE).json()
    assert drawn["base_asset_id"] == anchor_of(desk, task)["assets"][0]["id"] != task["asset_id"]
    assert colours(drawn["rendered_asset_id"]) == 1


def test_a_redaction_taken_back_shows_what_was_there(desk: Desk) -> None:
    task = desk.picture()
    made = redact(desk)
    work_off()
    drawn = desk.annotate(task, BADGE).json()["rendered_asset_id"]
    assert take_back(desk, made).status_code == 204
    assert content(desk, task["asset_id"]) in (200, 302)
    assert content(desk, drawn) == 404  # it shows a bar that nobody wants
    work_off()
    anchor = anchor_of(desk, task)
    active = Asset.objects.get(pk=anchor["active_asset_id"])
    assert (str(active.redacts_id), str(active.rendered_from_id)) == (drawn, task["asset_id"])
    assert colours(str(active.pk)) > 1
    assert desk.api.get(f"/jobs/{desk.job.pk}/redactions").json() == []
    assert take_back(desk, made).status_code == 404


def test_of_two_redactions_the_other_one_holds(desk: Desk) -> None:
    task = desk.picture()
    left, right = {**REGION, "width": 0.25}, {**REGION, "x": 0.5, "width": 0.25}
    made = redact(desk, region=left)
    redact(desk, region=right)
    work_off()
    both = anchor_of(desk, task)["active_asset_id"]
    assert (colours(both, inside=left), colours(both, inside=right)) == (1, 1)
    take_back(desk, made)
    assert anchor_of(desk, task)["active_asset_id"] is None
    work_off()
    one = anchor_of(desk, task)["active_asset_id"]
    assert colours(one, inside=left) > colours(one, inside=right) == 1
    redact(desk, region=left)  # as it was: nothing is drawn again
    assert anchor_of(desk, task)["active_asset_id"] == both
    assert work_off() == 0


def test_a_redacted_picture_that_is_deleted_stays_deleted(desk: Desk) -> None:
    task = desk.picture()
    made = redact(desk)
    work_off()
    shown = anchor_of(desk, task)["active_asset_id"]
    assert desk.api.call("DELETE", f"/anchors/{task['anchor_id']}/assets/{shown}").status_code == 200
    take_back(desk, made)
    assert (anchor_of(desk, task)["active_asset_id"], anchor_of(desk, task)["assets"]) == (None, [])


def test_a_drawing_on_deleted_pictures_is_redacted(desk: Desk) -> None:
    task = desk.picture()
    first = desk.annotate(task, BADGE).json()["rendered_asset_id"]
    desk.annotate({**task, "asset_id": first}, {**BADGE, "style": {"label": "2"}})
    for deleted in (task["asset_id"], first):
        desk.api.call("DELETE", f"/anchors/{task['anchor_id']}/assets/{deleted}")
    redact(desk)
    work_off()
    (shown,) = anchor_of(desk, task)["assets"]
    assert colours(shown["id"]) == 1
    assert anchor_of(desk, task)["active_asset_id"] == shown["id"]


def test_an_export_waits_for_redacted_pictures(desk: Desk) -> None:
    desk.picture()
    redact(desk)
    body = {"format": "MD_ZIP", "instruction_version_id": desk.version_id}
    early = desk.api.post(f"/jobs/{desk.job.pk}/exports", body)
    assert (early.status_code, early["Retry-After"]) == (503, "5")
    work_off()
    asked = desk.api.post(f"/jobs/{desk.job.pk}/exports", body)
    work_off()
    manifest = desk.api.get(f"/exports/{asked.json()['id']}/manifest").json()
    shown = Asset.objects.get(is_concealed=False)
    assert [picture["source_sha256"] for picture in manifest["pictures"]] == [shown.checksum_sha256]


def test_an_export_on_its_way_gets_no_picture_that_is_concealed(desk: Desk) -> None:
    desk.picture()
    body = {"format": "MD_ZIP", "instruction_version_id": desk.version_id}
    asked = desk.api.post(f"/jobs/{desk.job.pk}/exports", body).json()
    redact(desk)
    work_off()
    export = desk.api.get(f"/exports/{asked['id']}").json()
    assert (export["status"], export["failure_code"]) == ("FAILED", "PICTURE_REDACTED")


def test_a_picture_whose_file_is_gone_fails_the_run_and_stays_concealed(desk: Desk) -> None:
    task = desk.picture()
    uri = Asset.objects.get(pk=task["asset_id"]).uri
    with storage().open(uri) as file:
        bytes_of_it = file.read()
    storage().delete(uri)
    redact(desk)
    work_off()
    run = RedactionRun.objects.get()
    assert (run.status, run.failure_code, content(desk, task["asset_id"])) == ("FAILED", "ASSET_MISSING", 404)
    assert desk.api.get(f"/jobs/{desk.job.pk}/redactions").json()[0]["status"] == "FAILED"
    storage().save_bytes(f"jobs/{desk.job.pk}/", bytes_of_it, suffix=".png")
    assert redact(desk, start_ms=0).json()["status"] == "PENDING"
    work_off()
    assert colours(anchor_of(desk, task)["active_asset_id"]) == 1


def test_a_run_that_was_lost_goes_on_where_it_stood(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [desk.picture(timestamp_ms=at) for at in (9_500, 10_000, 10_500)]
    redact(desk)
    run = RedactionRun.objects.get()
    drawn: list[Any] = []

    def die_after_one(*arguments: Any, **options: Any) -> Any:
        if drawn:
            raise OSError("the machine is gone")
        drawn.append(draw(*arguments, **options))
        return drawn[0]

    from anchors.services import redactions

    draw = redactions.draw_on_asset
    monkeypatch.setattr(redactions, "draw_on_asset", die_after_one)
    perform(run)
    assert Asset.objects.exclude(redacts=None).count() == 1
    assert all(content(desk, task["asset_id"]) == 404 for task in tasks)
    monkeypatch.setattr(redactions, "draw_on_asset", draw)
    RedactionRun.objects.update(available_at="2020-01-01T00:00Z")
    work_off()
    assert Asset.objects.exclude(redacts=None).count() == 3
    assert not Anchor.objects.filter(active_asset__is_concealed=True).exists()


def test_an_ended_job_is_redacted_as_well(desk: Desk) -> None:
    task = desk.picture()
    force(desk.job, JobStatus.DONE)
    redact(desk)
    work_off()
    assert colours(anchor_of(desk, task)["active_asset_id"]) == 1
    events = AuditEvent.objects.filter(job=desk.job, event_type__contains="REDACT")
    assert [event.event_type for event in events.order_by("pk")] == ["REDACTION_ADDED", "PICTURES_REDACTED"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"start_ms": -1}, "start_ms"),
        ({"start_ms": 48_934, "end_ms": 50_000}, "start_ms"),
        ({"end_ms": 8_999}, "end_ms"),
        ({"end_ms": 2**31}, "end_ms"),
        ({"mode": "gaussian"}, "mode"),
        ({"region": {**REGION, "width": 0}}, "region.width"),
        ({"region": {**REGION, "width": 0.76}}, "region.width"),
        ({"region": {**REGION, "y": -0.1}}, "region.y"),
        ({"region": {"x": 0, "y": 0, "width": 1}}, "region.height"),
        ({"odd": 1}, "odd"),
    ],
)
def test_a_bad_redaction_names_its_field(owner: Api, changed: dict[str, Any], field: str) -> None:
    desk = Desk(owner)
    response = redact(desk, **changed)
    assert response.status_code == 400, response.content
    assert response.json()["details"]["errors"][0]["field"] == field
    assert not desk.job.redactions.exists()


def test_a_job_has_at_most_so_many_redactions(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anchors.services.redactions.MAX_REDACTIONS", 1)
    desk = Desk(owner)
    redact(desk)
    assert redact(desk).json()["details"]["errors"][0]["code"] == "too_many"
