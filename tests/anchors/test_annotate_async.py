"""Drawing on a picture as a task (`Prefer: respond-async`), over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from anchors.models import Anchor, AnnotationRequest, Asset, ScreenshotTask
from config.api.preferences import RESPOND_ASYNC, prefers
from config.storage import kept_folder, storage
from jobs.models import AuditEvent
from tests import sandbox_engines as engines
from tests.desk import BLUR, Desk
from tests.factories import Api, make_anchor, make_asset, work_off
from tests.races import at_once
from tests.sandbox_engines import Whatever

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]
SOLID = {**BLUR, "style": {"mode": "solid"}}


@pytest.fixture
def base(desk: Desk) -> Asset:
    return make_asset(desk.job, anchor=make_anchor(desk.job))


def ask(desk: Desk, base: Asset, *operations: Any, prefer: str = RESPOND_ASYNC, **more: Any) -> Any:
    body = {"base_asset_id": str(base.pk), "operations": list(operations or [BLUR]), **more}
    return desk.api.post(f"/anchors/{base.anchor_id}/annotations", body, prefer=prefer)


def draw(desk: Desk, base: Asset, *operations: Any, **more: Any) -> Any:
    body = {"base_asset_id": str(base.pk), "operations": list(operations or [BLUR]), **more}
    return desk.api.post(f"/anchors/{base.anchor_id}/annotations", body)


def shown(desk: Desk, task: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = desk.api.get(f"/screenshot-tasks/{task['task_id']}").json()
    return found


def active(desk: Desk, base: Asset) -> str:
    return str(desk.api.get(f"/anchors/{base.anchor_id}").json()["active_asset_id"])


def kept(desk: Desk) -> list[str]:
    return sorted(storage().old_files(kept_folder(desk.job.pk), timedelta(seconds=-2)))


def test_a_worker_draws_what_was_asked_for(desk: Desk, base: Asset) -> None:
    asked = ask(desk, base)
    assert asked.status_code == 202, asked.content
    task = asked.json()
    assert (task["operation"], task["status"], task["anchor_id"]) == (
        "annotate",
        "PENDING",
        str(base.anchor_id),
    )
    assert asked.headers["Location"] == f"/api/v1/screenshot-tasks/{task['task_id']}"
    assert int(asked.headers["Retry-After"]) > 0
    assert asked.headers["Preference-Applied"] == "respond-async"
    assert active(desk, base) == str(base.pk)
    work_off()
    done = shown(desk, task)
    assert (done["status"], active(desk, base)) == ("SUCCEEDED", done["asset_id"])
    picture = Asset.objects.get(pk=done["asset_id"])
    assert (picture.kind, picture.rendered_from, picture.anchor) == ("ANNOTATED", base, base.anchor)
    now = draw(desk, base)
    assert (now.status_code, now.json()["rendered_asset_id"]) == (200, done["asset_id"])
    assert now.json()["ops_hash"] == picture.ops_hash
    events = AuditEvent.objects.filter(job=desk.job, event_type__startswith="SCREENSHOT").order_by("id")
    assert [event.event_type for event in events] == ["SCREENSHOT_REQUESTED", "SCREENSHOT_ANNOTATED"]


def test_the_bytes_are_those_of_a_drawing_that_was_waited_for(desk: Desk, base: Asset) -> None:
    other = make_asset(desk.job, anchor=make_anchor(desk.job))
    task = ask(desk, base).json()
    work_off()
    drawn = Asset.objects.get(pk=shown(desk, task)["asset_id"])
    waited_for = Asset.objects.get(pk=draw(desk, other).json()["rendered_asset_id"])
    assert drawn.checksum_sha256 == waited_for.checksum_sha256


@pytest.mark.parametrize(
    ("header", "is_meant"),
    [
        ("respond-async", True),
        ("Respond-Async", True),
        ("return=minimal, RESPOND-ASYNC; x=1 , wait=10", True),
        (",, wait = 10;;, respond-async", True),
        ('foo="a\\", b"; bar="c", respond-async', True),
        ('respond-async=""', True),
        ("", False),
        ("wait=10", False),
        ("respond-async-not", False),
        ("respond-async=no", False),
        ("respond-async=no, respond-async", False),  # the first counts (section 2)
        ('foo=", respond-async"', False),
        ('foo="a, respond-async', False),
        ("x; respond-async", False),
        ("not respond-async", False),
    ],
)
def test_the_preference_is_read_as_the_standard_says(header: str, *, is_meant: bool) -> None:
    request = Request(APIRequestFactory().get("/", HTTP_PREFER=header))
    assert prefers(request, RESPOND_ASYNC) is is_meant


def test_without_the_preference_the_answer_is_the_picture(desk: Desk, base: Asset) -> None:
    answer = ask(desk, base, prefer="return=minimal, wait=5")
    assert answer.status_code == 200 and "rendered_asset_id" in answer.json()
    assert "Preference-Applied" not in answer.headers
    assert not ScreenshotTask.objects.exists()


def test_the_same_annotation_is_the_same_task(desk: Desk, base: Asset) -> None:
    first = ask(desk, base).json()
    for status in ("PENDING", "SUCCEEDED"):
        again = ask(desk, base)
        assert (again.status_code, again.json()["task_id"]) == (200, first["task_id"])
        assert again.json()["status"] == status
        assert again.headers["Preference-Applied"] == "respond-async"
        work_off()
    assert ScreenshotTask.objects.count() == 1
    assert Asset.objects.filter(kind="ANNOTATED").count() == 1
    assert ask(desk, base, SOLID).json()["task_id"] != first["task_id"]
    other = make_asset(desk.job, anchor=make_anchor(desk.job))
    assert ask(desk, other).json()["task_id"] != first["task_id"]


def test_a_failed_task_of_an_annotation_starts_again(desk: Desk, base: Asset) -> None:
    task = ask(desk, base).json()
    ScreenshotTask.objects.update(status="FAILED", failure_code="RENDER_FAILED", failure_message="Odd.")
    again = ask(desk, base)
    assert (again.status_code, again.json()["task_id"]) == (202, task["task_id"])
    assert again.json()["status"] == "PENDING" and "failure_code" not in again.json()
    work_off()
    assert shown(desk, task)["status"] == "SUCCEEDED"


def test_an_annotation_that_was_deleted_is_drawn_again(desk: Desk, base: Asset) -> None:
    task = ask(desk, base).json()
    work_off()
    first = shown(desk, task)["asset_id"]
    assert desk.api.call("DELETE", f"/anchors/{base.anchor_id}/assets/{first}").status_code == 200
    again = ask(desk, base)
    assert (again.status_code, again.json()["task_id"]) == (202, task["task_id"])
    work_off()
    second = shown(desk, task)
    assert second["status"] == "SUCCEEDED" and second["asset_id"] != first
    assert active(desk, base) == second["asset_id"]


def test_the_task_of_a_picture_that_is_there_has_succeeded(desk: Desk, base: Asset) -> None:
    drawn = draw(desk, base).json()["rendered_asset_id"]
    asked = ask(desk, base)
    assert (asked.status_code, asked.json()["status"], asked.json()["asset_id"]) == (200, "SUCCEEDED", drawn)
    assert ask(desk, base).json() == asked.json() == shown(desk, asked.json())
    assert work_off() == 0


def test_a_failed_task_has_succeeded_when_the_picture_is_there(desk: Desk, base: Asset) -> None:
    task = ask(desk, base).json()
    ScreenshotTask.objects.update(status="FAILED", failure_code="RENDER_FAILED", failure_message="Odd.")
    drawn = draw(desk, base).json()["rendered_asset_id"]
    asked = ask(desk, base)
    assert asked.status_code == 200
    assert asked.json() == {**task, "status": "SUCCEEDED", "asset_id": drawn}


def test_a_worker_finds_what_was_drawn_meanwhile(desk: Desk, base: Asset) -> None:
    task = ask(desk, base).json()
    drawn = draw(desk, base).json()["rendered_asset_id"]
    later = draw(desk, base, SOLID).json()["rendered_asset_id"]
    work_off()
    assert (shown(desk, task)["status"], shown(desk, task)["asset_id"]) == ("SUCCEEDED", drawn)
    assert active(desk, base) == later, "nothing was written"
    assert AuditEvent.objects.filter(event_type="SCREENSHOT_ANNOTATED").count() == 2


def test_what_is_wrong_is_refused_at_once_as_without_a_task(
    desk: Desk, base: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anchors.render.budget.MAX_WORK", 1000)
    wrong: list[dict[str, Any]] = [
        {"base_asset_id": "odd", "operations": [BLUR]},
        {"base_asset_id": str(base.pk), "operations": []},
        {"base_asset_id": str(base.pk), "operations": [{"op_type": "blur"}]},
        {"base_asset_id": str(base.pk), "operations": [BLUR], "odd": 1},
        {"operations": [BLUR]},
        {"base_asset_id": str(base.pk), "operations": [BLUR] * 200},
    ]
    path = f"/anchors/{base.anchor_id}/annotations"
    for body in wrong:
        now, later = desk.api.post(path, body), desk.api.post(path, body, prefer="respond-async")
        assert now.status_code == later.status_code == 400, body
        assert now.json()["details"] == later.json()["details"]
    assert now.json()["details"]["errors"][0]["code"] == "too_complex"
    assert not ScreenshotTask.objects.exists() and not AnnotationRequest.objects.exists()


def test_a_key_is_one_for_tasks_and_for_drawings_that_are_waited_for(desk: Desk, base: Asset) -> None:
    task = ask(desk, base, idempotency_key="k-1").json()
    assert ask(desk, base, idempotency_key="k-1").json()["task_id"] == task["task_id"]
    for refused in (
        ask(desk, base, SOLID, idempotency_key="k-1"),
        draw(desk, base, SOLID, idempotency_key="k-1"),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert draw(desk, base, SOLID, idempotency_key="k-2").status_code == 200
    assert ask(desk, base, idempotency_key="k-2").status_code == 409
    assert ScreenshotTask.objects.count() == 1


@pytest.mark.parametrize(
    "engine",
    [engines.break_down, engines.abort, engines.eat_memory_in_rust],
    ids=lambda engine: engine.__name__,
)
def test_a_task_whose_render_fails_leaves_nothing_behind(
    desk: Desk, base: Asset, engine: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kept(desk)
    monkeypatch.setattr("anchors.services.drawing.draw_on_file", Whatever(engine))
    task = ask(desk, base).json()
    work_off()
    failed = shown(desk, task)
    assert (failed["status"], failed["failure_code"]) == ("FAILED", "RENDER_FAILED")
    assert failed["failure_message"].endswith(".") and "asset_id" not in failed
    assert (kept(desk), active(desk, base)) == (before, str(base.pk))
    assert Asset.objects.filter(job=desk.job).count() == 1
    monkeypatch.undo()
    assert ask(desk, base).status_code == 202
    work_off()
    assert shown(desk, task)["status"] == "SUCCEEDED"


def test_a_child_that_the_system_killed_costs_a_drawing_a_retry(
    desk: Desk, base: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anchors.services.drawing.draw_on_file", Whatever(engines.be_killed))
    ask(desk, base)
    work_off()
    task = ScreenshotTask.objects.get()
    assert (task.status, task.retries) == ("PENDING", 1)


def test_the_task_of_an_ended_job_draws_nothing(desk: Desk, base: Asset) -> None:
    task = ask(desk, base).json()
    assert desk.api.post(f"/jobs/{desk.job.pk}/cancel").status_code == 200
    assert work_off() == 0
    assert shown(desk, task)["failure_code"] == "JOB_CANCELLED"
    assert ask(desk, base).json()["code"] == "FSM_TERMINAL_IMMUTABLE"


def test_an_owner_has_only_so_many_drawings_open(
    desk: Desk, base: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScreenshotTask, "MAX_OPEN_PER_OWNER", 1)
    assert ask(desk, base).status_code == 202
    assert ask(desk, base, SOLID).status_code == 429
    assert ask(desk, base).status_code == 200, "what is there already needs no room"


def test_a_stranger_can_have_nothing_drawn(desk: Desk, base: Asset, stranger: Api) -> None:
    body = {"base_asset_id": str(base.pk), "operations": [BLUR]}
    refused = stranger.post(f"/anchors/{base.anchor_id}/annotations", body, prefer=RESPOND_ASYNC)
    assert refused.status_code == 404
    assert not ScreenshotTask.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_that_ask_at_once_one_begins_it(desk: Desk, base: Asset) -> None:
    answers = at_once(6, lambda _: ask(desk, base, idempotency_key="k-1"))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [202]
    assert len({answer.json()["task_id"] for answer in answers}) == 1
    work_off()
    assert Asset.objects.filter(kind="ANNOTATED").count() == 1
    assert Anchor.objects.get(pk=base.anchor_id).active_asset != base
