"""What the screen of a job's video shows being done: how it is read, and how an orchestrator sends it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from config.storage import kept_folder, storage
from jobs.media.screen import EventKind, Frame, Region, Screen, ScreenEvent
from jobs.media.screen.stored import screen_to_json
from jobs.models import Job
from jobs.states import JobStatus
from tests.callbacks import send
from tests.factories import Api, force, make_job, make_user
from tests.screen_engines import SCREEN
from tests.screens import make_screen

FIRST, SECOND = SCREEN.events


def kept(job: Job, content: bytes) -> str:
    return storage().save_bytes(kept_folder(job.pk), content, suffix=".screen.json").uri


def send_screen(job: Job, uri: str, status: str = "AUDIO_READY") -> Any:
    return send(job, status, artifact_updates={"screen_uri": uri})


def test_events_are_shown_by_time_with_what_is_known_of_them(owner: Api) -> None:
    job = make_screen(make_job(JobStatus.DRAFT_READY, owner=owner.user))
    answer = owner.get(f"/jobs/{job.pk}/screen-events").json()
    ids = [item.pop("event_id") for item in answer["items"]]
    assert answer == {
        "items": [
            {
                "at_ms": 1840,
                "kind": "click",
                "label": "New",
                "region": {"x": 0.82, "y": 0.06, "width": 0.07, "height": 0.04},
                "confidence": 0.93,
            },
            {
                "at_ms": 3000,
                "end_ms": 4000,
                "kind": "type",
                "label": "Name",
                "text": "Ada",
                "region": {"x": 0.2, "y": 0.3, "width": 0.4, "height": 0.05},
                "confidence": 0.8,
            },
        ],
        "limit": 200,
        "next_cursor": None,
    }
    assert ids == [str(event.pk) for event in job.screen_events.order_by("at_ms")]


def test_events_are_read_in_pages_those_of_one_moment_too(owner: Api) -> None:
    events = [replace(FIRST, at_ms=at, label=f"B{number}") for number, at in enumerate([5, 7, 7, 7, 9])]
    job = make_screen(make_job(JobStatus.DRAFT_READY, owner=owner.user), Screen(tuple(events)))
    seen, query = [], "limit=2"
    for _ in range(3):
        page = owner.get(f"/jobs/{job.pk}/screen-events?{query}").json()
        assert page["limit"] == 2
        seen += [item["label"] for item in page["items"]]
        query = f"limit=2&cursor={page['next_cursor']}"
    assert seen == ["B0", "B1", "B2", "B3", "B4"] and page["next_cursor"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "cursor=odd", "cursor=LTEuNQ", "odd=1"])
def test_a_bad_page_of_events_is_400(owner: Api, query: str) -> None:
    job = make_screen(make_job(JobStatus.DRAFT_READY, owner=owner.user))
    assert owner.get(f"/jobs/{job.pk}/screen-events?{query}").status_code == 400


@pytest.mark.parametrize("status", ["CREATED", "UPLOADED", "AUDIO_EXTRACTING", "GENERATING", "DRAFT_READY"])
def test_without_a_screen_its_events_are_not_ready(owner: Api, status: str) -> None:
    job = make_job(JobStatus(status), owner=owner.user)
    answer = owner.get(f"/jobs/{job.pk}/screen-events")
    assert (answer.status_code, answer.json()["code"]) == (409, "SCREEN_EVENTS_NOT_READY")
    assert answer.json()["details"] == {"current_status": status}
    assert answer.headers["Retry-After"] == "5"


def test_a_screen_without_events_is_an_empty_list(owner: Api) -> None:
    job = make_screen(make_job(JobStatus.DRAFT_READY, owner=owner.user), Screen(note="Nothing moves."))
    answer = owner.get(f"/jobs/{job.pk}/screen-events").json()
    assert answer == {"items": [], "limit": 200, "next_cursor": None}


def test_a_strangers_events_are_not_there(owner: Api) -> None:
    job = make_screen(make_job(JobStatus.DRAFT_READY, owner=make_user("another")))
    assert owner.get(f"/jobs/{job.pk}/screen-events").status_code == 404


def test_a_screen_that_is_reported_is_stored_and_shown_at_once(owner: Api) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING, owner=owner.user)
    event = ScreenEvent(
        5, EventKind.WINDOW, Region(0.0, 0.0, 1.0, 0.5), 1.0, pointer=(0.25, 0.5), picture_ms=9,
        frame=Frame(12, "ab" * 32), page_share=0.5,
    )  # fmt: skip
    uri = kept(job, screen_to_json(Screen((event,))))
    assert send_screen(job, uri).status_code == 204
    assert owner.get(f"/jobs/{job.pk}").json()["manifest"]["screen_uri"] == uri
    assert [item["kind"] for item in owner.get(f"/jobs/{job.pk}/screen-events").json()["items"]] == ["window"]
    row = job.screen_events.get()
    assert (row.pointer, row.picture_ms, row.page_share) == ([0.25, 0.5], 9, 0.5)
    assert row.frame == {"pts": 12, "frame_sha256": "ab" * 32}
    assert (row.label, row.text, row.end_ms) == ("", "", None)


def test_the_newest_screens_events_take_the_place_of_the_others(owner: Api) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING, owner=owner.user)
    first, second = (kept(job, screen_to_json(Screen((event,)))) for event in (FIRST, SECOND))
    for uri in (first, first, second):
        assert send_screen(job, uri, "AUDIO_EXTRACTING").status_code == 204
    items = owner.get(f"/jobs/{job.pk}/screen-events").json()["items"]
    assert [item["label"] for item in items] == ["Name"]
    versions = job.artifacts.filter(kind="screen").order_by("version").values_list("version", "uri")
    assert list(versions) == [(1, first), (2, second)]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"[]", ""),
        (b"{", ""),
        (b'{"words": []}', ".events"),
        (b'{"events": [{"kind": "stare"}]}', ".events.0.kind"),
        (json.dumps({"events": [{**FIRST.__dict__, "region": {"x": 2}}]}, default=vars).encode(), ".events.0.region.x"),
        (screen_to_json(Screen((SECOND, FIRST))), ".events.1.at_ms"),
    ],
)  # fmt: skip
def test_a_screen_that_is_not_well_formed_is_400_and_changes_nothing(
    owner: Api, content: bytes, field: str
) -> None:
    job = make_screen(make_job(JobStatus.AUDIO_EXTRACTING, owner=owner.user))
    before = Job.objects.values().get(pk=job.pk), list(job.screen_events.order_by("pk").values())
    answer = send_screen(job, kept(job, content))
    assert answer.status_code == 400
    (wrong,) = answer.json()["details"]["errors"]
    assert wrong["field"] == f"artifact_updates.screen_uri{field}"
    assert (Job.objects.values().get(pk=job.pk), list(job.screen_events.order_by("pk").values())) == before
    assert job.callback_events.filter(status="AUDIO_READY").count() == 0


def test_a_screen_of_another_job_or_one_that_is_not_there_is_400(db: None) -> None:
    job, other = (
        make_job(JobStatus.AUDIO_EXTRACTING),
        make_job(JobStatus.AUDIO_EXTRACTING, owner=make_user("b")),
    )
    theirs = kept(other, screen_to_json(SCREEN))
    for uri in (theirs, storage().uri(f"{kept_folder(job.pk)}{'0' * 64}"), "local://jobs/x"):
        assert send_screen(job, uri).status_code == 400, uri
    assert job.screen_events.count() == 0


def test_a_screen_that_lies_elsewhere_is_kept_as_an_address(owner: Api) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING, owner=owner.user)
    assert send_screen(job, "gs://acme/screen.json").status_code == 204
    assert owner.get(f"/jobs/{job.pk}").json()["manifest"]["screen_uri"] == "gs://acme/screen.json"
    assert owner.get(f"/jobs/{job.pk}/screen-events").status_code == 409


def test_a_screen_in_place_of_its_uri_is_kept_as_any_other_key(owner: Api) -> None:
    job = make_job(JobStatus.AUDIO_EXTRACTING, owner=owner.user)
    sent = {"screen": SCREEN.as_plain()}
    assert send(job, "AUDIO_READY", artifact_updates=sent).status_code == 204
    assert job.artifacts.filter(kind="other:screen").count() == 1
    assert owner.get(f"/jobs/{job.pk}/screen-events").status_code == 409


def test_events_go_with_their_job(owner: Api) -> None:
    job = force(make_screen(make_job(JobStatus.DRAFT_READY, owner=owner.user)), JobStatus.DONE)
    assert job.screen_events.count() == 2
    assert owner.call("DELETE", f"/jobs/{job.pk}").status_code == 202
    assert job.screen_events.count() == 0
