"""What should be hidden in a job's video: suggested, accepted, and hidden without being asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anchors.models import Anchor, Asset, Redaction, RedactionSuggestion, ScreenshotTask, SensitiveSearch
from anchors.sensitive import Found, Region
from anchors.services import searching
from config.storage import kept_folder, storage
from config.work.models import WorkFailed
from jobs.hooks import JOB_STARTED
from jobs.models import AuditEvent, Job
from jobs.states import JobStatus
from tests.anchors.redacting import anchor_of, colours, content, redact
from tests.anchors.sensitive.pages import MAIL, page
from tests.anchors.videos import write_video
from tests.desk import Desk
from tests.factories import Api, force, make_job, perform, work_off
from tests.pictures import make_redaction, make_search, make_suggestion
from tests.races import at_once

pytestmark = pytest.mark.slow

MISSING = "01a20000-0000-7000-8000-00000000abcd"
SURE = Found("email", 0, 40_000, Region(0.1, 0.1, 0.3, 0.1), 0.9)
UNSURE = Found("name", 1_000, 2_000, Region(0.5, 0.5, 0.2, 0.1), 0.4)


def suggestions(api: Api, job: Job) -> Any:
    return api.get(f"/jobs/{job.pk}/redactions/suggestions")


def accept(api: Api, job: Job, *ids: object) -> Any:
    body = {"suggestion_ids": [str(each) for each in ids]}
    return api.post(f"/jobs/{job.pk}/redactions/suggestions/accept", body)


def hiding_desk(owner: Api) -> Desk:
    """A job that asked to have hidden what is found, and whose search waits."""
    desk = Desk(owner)
    Job.objects.filter(pk=desk.job.pk).update(options={**desk.job.options, "auto_redact": True})
    desk.job = Job.objects.get(pk=desk.job.pk)
    for started in JOB_STARTED:
        started(desk.job)
    return desk


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Found]:
    """What a search finds, instead of looking."""
    finds = [SURE, UNSURE]
    monkeypatch.setattr(searching, "_search", lambda *_: finds)
    return finds


@pytest.mark.both_storages
def test_a_video_is_searched_with_the_first_call(owner: Api, tmp_path: Path) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    path = write_video(tmp_path / "a.mp4", pts=range(0, 3_000, 100), pictures=[page(MAIL)] * 30)
    stored = storage().save_file(kept_folder(job.pk), path, suffix="")
    job.artifacts.create(
        kind="video", version=2, uri=stored.uri, sha256=stored.sha256, data={"duration_ms": 3_000}
    )
    early = suggestions(owner, job)
    assert (early.status_code, early.json()["code"], early["Retry-After"]) == (
        409,
        "SCREEN_EVENTS_NOT_READY",
        "5",
    )
    work_off()
    (only,) = suggestions(owner, job).json()
    assert set(only) == {"suggestion_id", "kind", "start_ms", "end_ms", "region", "confidence"}
    assert (only["kind"], only["start_ms"]) == ("email", 0)
    assert set(only["region"]) == {"x", "y", "width", "height"}
    assert MAIL[2] not in str(RedactionSuggestion.objects.values().get())
    assert (work_off(), Redaction.objects.count()) == (0, 0)
    assert suggestions(owner, job).json() == [only]


def test_without_a_document_nothing_is_begun(owner: Api) -> None:
    job = make_job(JobStatus.UPLOADED, owner=owner.user)
    assert suggestions(owner, job).json()["details"] == {"current_status": "UPLOADED"}
    assert not SensitiveSearch.objects.exists()


def test_a_video_that_cannot_be_read_has_no_suggestions(owner: Api) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)  # its video is no video
    suggestions(owner, job)
    work_off()
    row = SensitiveSearch.objects.get(job=job)
    assert (row.status, row.failure_code, row.cover_id) == ("FAILED", "VIDEO_UNREADABLE", None)
    assert suggestions(owner, job).json() == []


def test_a_search_that_was_lost_is_begun_again(owner: Api) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    row = make_search(job, status="FAILED", failure_code="WORKER_LOST")
    assert suggestions(owner, job).status_code == 409
    assert SensitiveSearch.objects.get(pk=row.pk).status == "PENDING"


def test_suggestions_come_in_pages_in_order_of_time(owner: Api, found: list[Found]) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    suggestions(owner, job)
    work_off()
    first = owner.get(f"/jobs/{job.pk}/redactions/suggestions?limit=1")
    assert [each["kind"] for each in first.json()] == ["email"]
    assert 'rel="next"' in first["Link"]


def test_what_is_accepted_is_hidden_in_the_order_of_the_ids(owner: Api) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    make_search(job)
    one, two = make_suggestion(job), make_suggestion(job, start_ms=500, x=0.0)
    made = accept(owner, job, two.pk, one.pk)
    assert made.status_code == 201
    assert [each["start_ms"] for each in made.json()] == [500, 0]
    assert made.json()[0]["region"] == {"x": 0.0, "y": 0.25, "width": 0.5, "height": 0.125}
    again = accept(owner, job, one.pk, two.pk, one.pk)
    ids = [each["id"] for each in made.json()]
    assert (again.status_code, [each["id"] for each in again.json()]) == (201, [ids[1], ids[0], ids[1]])
    assert Redaction.objects.count() == AuditEvent.objects.filter(event_type="REDACTION_ADDED").count() == 2
    owner.call("DELETE", f"/redactions/{ids[0]}")
    assert accept(owner, job, two.pk).json()[0]["id"] not in ids


def test_a_picture_of_what_is_accepted_is_redacted(desk: Desk) -> None:
    task = desk.picture()
    make_search(desk.job)
    accepted = accept(desk.api, desk.job, make_suggestion(desk.job, end_ms=20_000).pk)
    assert accepted.json()[0]["status"] == "PENDING"
    assert content(desk, task["asset_id"]) == 404
    work_off()
    shown = Anchor.objects.get(pk=task["anchor_id"]).active_asset
    assert shown is not None and (shown.is_redacted, str(shown.pk) == task["asset_id"]) == (True, False)


def test_an_unknown_or_foreign_suggestion_accepts_none(owner: Api, stranger: Api) -> None:
    job, other = (make_job(JobStatus.EDITING, owner=owner.user) for _ in range(2))
    mine, foreign = make_suggestion(job), make_suggestion(other)
    for wrong in (MISSING, "nonsense", foreign.pk):
        assert accept(owner, job, mine.pk, wrong).status_code == 404
    assert accept(stranger, job, mine.pk).status_code == suggestions(stranger, job).status_code == 404
    assert not Redaction.objects.exists()


@pytest.mark.parametrize(
    "body", [{}, {"suggestion_ids": []}, {"suggestion_ids": "x"}, {"suggestion_ids": [MISSING] * 101}]
)
def test_a_bad_list_of_suggestions_is_refused(owner: Api, body: dict[str, Any]) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    refused = owner.post(f"/jobs/{job.pk}/redactions/suggestions/accept", body)
    assert (refused.status_code, refused.json()["code"]) == (400, "VALIDATION_ERROR")


def test_an_ended_job_accepts_none_and_is_not_searched(owner: Api) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    suggestion = make_suggestion(job)
    force(job, JobStatus.CANCELLED)
    assert accept(owner, job, suggestion.pk).json()["code"] == "FSM_TERMINAL_IMMUTABLE"
    assert len(suggestions(owner, job).json()) == 1
    assert not SensitiveSearch.objects.exists()


def test_more_than_a_job_may_have_is_refused_as_a_whole(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anchors.services.redactions.MAX_REDACTIONS", 2)
    job = make_job(JobStatus.EDITING, owner=owner.user)
    ids = [make_suggestion(job).pk for _ in range(3)]
    refused = accept(owner, job, *ids)
    assert (refused.status_code, refused.json()["details"]["errors"][0]["code"]) == (400, "too_many")
    assert (Redaction.objects.count(), accept(owner, job, *ids[:2]).status_code) == (0, 201)


@pytest.mark.django_db(transaction=True)
def test_of_acceptances_at_once_each_answers_the_same_redaction(owner: Api) -> None:
    job = make_job(JobStatus.EDITING, owner=owner.user)
    suggestion = make_suggestion(job)
    answers = at_once(6, lambda _: accept(owner, job, suggestion.pk))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()[0]["id"] for answer in answers}) == Redaction.objects.count() == 1


def test_a_picture_is_shown_to_nobody_before_the_video_is_searched(owner: Api, found: list[Found]) -> None:
    desk = hiding_desk(owner)
    task_id = desk.extract().json()["task_id"]
    perform(ScreenshotTask.objects.get(pk=task_id))
    task = owner.get(f"/screenshot-tasks/{task_id}").json()
    asset = Asset.objects.get(job=desk.job)
    assert (task["status"], asset.is_concealed, content(desk, str(asset.pk))) == ("SUCCEEDED", True, 404)
    anchor = owner.get(f"/anchors/{task['anchor_id']}").json()
    assert (anchor["active_asset_id"], anchor["assets"]) == (None, [])
    perform(SensitiveSearch.objects.get(job=desk.job))
    assert content(desk, str(asset.pk)) == 404
    work_off()
    (shown,) = owner.get(f"/anchors/{task['anchor_id']}").json()["assets"]
    assert (shown["rendered_from_asset_id"], content(desk, shown["id"]) in (200, 302)) == (
        str(asset.pk),
        True,
    )
    assert owner.get(f"/screenshot-tasks/{task_id}").json()["asset_id"] == shown["id"]


def test_a_redaction_meanwhile_shows_no_picture_either(owner: Api, found: list[Found]) -> None:
    desk = hiding_desk(owner)
    make_redaction(desk.job)
    task_id = desk.extract(timestamp_ms=500).json()["task_id"]
    perform(ScreenshotTask.objects.get(pk=task_id))
    assert not Asset.objects.filter(job=desk.job, is_concealed=False).exists()
    region = {"x": 0.0, "y": 0.0, "width": 0.1, "height": 0.1}
    owner.post(f"/jobs/{desk.job.pk}/redactions", {"start_ms": 0, "end_ms": 9_000, "region": region})
    assert not Asset.objects.filter(job=desk.job, is_concealed=False).exists()
    work_off()
    assert Asset.objects.filter(job=desk.job, is_concealed=False, is_redacted=True).count() == 1


def test_what_is_sure_is_hidden_and_the_rest_suggested(owner: Api, found: list[Found]) -> None:
    desk = hiding_desk(owner)
    work_off()
    first, second = RedactionSuggestion.objects.order_by("pk")
    assert (first.redaction_id is not None, second.redaction_id) == (True, None)
    (made,) = owner.get(f"/jobs/{desk.job.pk}/redactions").json()
    assert (made["start_ms"], made["end_ms"], made["mode"]) == (0, 40_000, "pixelate")
    assert accept(owner, desk.job, first.pk).json()[0]["id"] == made["id"]


def test_more_than_may_be_hidden_is_hidden_together(
    owner: Api, found: list[Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MAX_REDACTIONS", 3)
    found[:] = [
        Found("email", 100 * at, 100 * at + 50, Region(0.1, at / 10, 0.2, 0.1), 0.9) for at in range(8)
    ]
    hiding_desk(owner)
    work_off()
    assert Redaction.objects.count() == 3
    for each in RedactionSuggestion.objects.select_related("redaction"):
        hidden = each.redaction
        assert hidden is not None and hidden.start_ms <= each.start_ms <= each.end_ms <= hidden.end_ms
        assert hidden.y <= each.y and each.y + each.height <= hidden.y + hidden.height + 1e-9


def test_a_search_that_fails_hides_all_until_its_owner_takes_it_back(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise WorkFailed("TOO_COMPLEX", "It took too long.")

    monkeypatch.setattr(searching, "_search", fail)
    desk = hiding_desk(owner)
    perform(SensitiveSearch.objects.get(job=desk.job))
    task = desk.picture()
    assert colours(task["asset_id"]) < 200
    (cover,) = owner.get(f"/jobs/{desk.job.pk}/redactions").json()
    assert cover["region"] == {"x": 0.0, "y": 0.0, "width": 1.0, "height": 1.0}
    owner.call("DELETE", f"/redactions/{cover['id']}")
    shown = Anchor.objects.get(pk=task["anchor_id"]).active_asset
    assert shown is not None and (shown.is_redacted, shown.is_concealed) == (False, False)


def test_a_search_that_succeeds_later_takes_the_cover_back(owner: Api, found: list[Found]) -> None:
    desk = hiding_desk(owner)
    row = SensitiveSearch.objects.get(job=desk.job)
    SensitiveSearch.objects.filter(pk=row.pk).update(cover=make_redaction(desk.job), is_decided=True)
    perform(SensitiveSearch.objects.get(pk=row.pk))
    assert [each.end_ms for each in Redaction.objects.all()] == [40_000]


def test_a_job_without_the_option_is_not_searched(owner: Api) -> None:
    job = make_job(JobStatus.GENERATING, owner=owner.user)
    for started in JOB_STARTED:
        started(job)
    assert not SensitiveSearch.objects.exists()


def cancelled_early(owner: Api) -> tuple[Desk, Asset]:
    """A job that was cancelled between its first picture and its search."""
    desk = hiding_desk(owner)
    perform(ScreenshotTask.objects.get(pk=desk.extract().json()["task_id"]))
    assert owner.post(f"/jobs/{desk.job.pk}/cancel").status_code == 200
    return desk, Asset.objects.get(job=desk.job)


def test_pictures_of_a_job_that_ends_before_its_search_are_shown(owner: Api, found: list[Found]) -> None:
    desk, asset = cancelled_early(owner)
    assert asset.is_concealed and content(desk, str(asset.pk)) == 404
    work_off()
    assert SensitiveSearch.objects.get(job=desk.job).status == "SUCCEEDED"
    (shown,) = owner.get(f"/anchors/{asset.anchor_id}").json()["assets"]
    assert shown["rendered_from_asset_id"] == str(asset.pk)
    assert content(desk, shown["id"]) in (200, 302) and content(desk, str(asset.pk)) == 404


def test_pictures_that_are_being_redacted_are_drawn_after_the_end(desk: Desk) -> None:
    task = desk.picture()
    redact(desk)
    assert desk.api.post(f"/jobs/{desk.job.pk}/cancel").status_code == 200
    work_off()
    (shown,) = anchor_of(desk, task)["assets"]
    assert shown["rendered_from_asset_id"] == task["asset_id"] and content(desk, shown["id"]) in (200, 302)


def test_a_search_that_fails_after_the_end_hides_all_and_says_so(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise WorkFailed("TOO_COMPLEX", "It took too long.")

    monkeypatch.setattr(searching, "_search", fail)
    desk, asset = cancelled_early(owner)
    work_off()
    (shown,) = owner.get(f"/anchors/{asset.anchor_id}").json()["assets"]
    assert content(desk, shown["id"]) in (200, 302) and colours(shown["id"]) < 200
    events = owner.get(f"/jobs/{desk.job.pk}/events").json()
    (failed,) = [each for each in events if each["event_type"] == "SENSITIVE_SEARCH_FAILED"]
    (cover,) = owner.get(f"/jobs/{desk.job.pk}/redactions").json()
    assert failed["data"] == {"failure_code": "TOO_COMPLEX", "redaction_id": cover["id"]}


def test_a_job_that_ends_without_pictures_is_not_searched(owner: Api, found: list[Found]) -> None:
    desk = hiding_desk(owner)
    owner.post(f"/jobs/{desk.job.pk}/cancel")
    row = SensitiveSearch.objects.get(job=desk.job)
    assert (row.status, row.failure_code, row.is_decided) == ("FAILED", "JOB_CANCELLED", False)


def test_a_search_whose_job_is_cancelled_meanwhile_writes_nothing(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = hiding_desk(owner)

    def look_and_be_late(*_: Any) -> list[Found]:
        owner.post(f"/jobs/{desk.job.pk}/cancel")
        return [SURE]

    monkeypatch.setattr(searching, "_search", look_and_be_late)
    perform(SensitiveSearch.objects.get(job=desk.job))
    assert not RedactionSuggestion.objects.exists() and not Redaction.objects.exists()


def test_a_redaction_of_another_time_shows_no_picture_early(owner: Api, found: list[Found]) -> None:
    desk = hiding_desk(owner)
    perform(ScreenshotTask.objects.get(pk=desk.extract().json()["task_id"]))
    region = {"x": 0.0, "y": 0.0, "width": 0.1, "height": 0.1}
    owner.post(f"/jobs/{desk.job.pk}/redactions", {"start_ms": 45_000, "end_ms": 46_000, "region": region})
    assert Asset.objects.get(job=desk.job).is_concealed
