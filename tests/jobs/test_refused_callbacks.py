"""Callbacks that were refused: what is kept of them, how many, and that it is shown to support."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, InternalError, transaction
from django.test import Client
from uuid6 import uuid7

from config.accounts.models import User
from jobs.admin.story import read_story
from jobs.models import CallbackEvent, Job, RefusedCallback, RefusedCallbackCount
from jobs.services.audit import by_editor
from jobs.services.deletion import delete_job
from jobs.services.jobs import cancel_job
from jobs.states import JobStatus
from tests.callbacks import SECRET, post, send
from tests.factories import make_job
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = (datetime.now(UTC) - timedelta(days=1)).isoformat()


@pytest.fixture
def sound() -> Job:
    return make_job(JobStatus.AUDIO_EXTRACTING)


def kept(job: Job) -> list[tuple[str, str]]:
    return list(RefusedCallback.objects.filter(job=job).order_by("pk").values_list("code", "status"))


def counted(job: Job) -> int:
    return sum(RefusedCallbackCount.objects.filter(job=job).values_list("number", flat=True))


def test_what_was_answered_is_kept_with_what_it_was_about(sound: Job) -> None:
    event_id, other = str(uuid7()), str(uuid7())
    answer = send(sound, "AUDIO_READY", event_id=event_id, dispatch_id=other)
    refused = RefusedCallback.objects.get(job=sound)
    assert (refused.code, refused.message) == ("DISPATCH_SUPERSEDED", answer.json()["message"])
    assert (refused.event_id, refused.status, str(refused.sent_dispatch_id)) == (
        event_id,
        "AUDIO_READY",
        other,
    )


@pytest.mark.parametrize(
    ("status", "changed", "code"),
    [
        ("DRAFT_READY", {}, "FSM_TRANSITION_INVALID"),
        ("AUDIO_READY", {"occurred_at": LONG_AGO}, "CALLBACK_OUT_OF_ORDER"),
        ("AUDIO_READY", {"artifact_updates": {"video_uri": "https://x.example/a"}}, "ARTIFACT_IMMUTABLE"),
        ("AUDIO_READY", {"correlation_id": None}, "VALIDATION_ERROR"),
        ("SLEEPING", {}, "VALIDATION_ERROR"),
    ],
)
def test_each_refusal_outlives_what_was_rolled_back(sound: Job, status: str, changed: Any, code: str) -> None:
    before = CallbackEvent.objects.count()
    assert send(sound, status, **changed).json()["code"] == code
    assert [found for found, _ in kept(sound)] == [code] and CallbackEvent.objects.count() == before
    assert Job.objects.get(pk=sound.pk).status == sound.status


def test_a_job_that_is_over_keeps_what_comes_late(sound: Job) -> None:
    cancel_job(job_id=sound.pk, by=by_editor(sound.owner))
    assert send(sound, "AUDIO_READY").status_code == 409
    assert kept(sound) == [("FSM_TERMINAL_IMMUTABLE", "AUDIO_READY")]


@pytest.mark.parametrize("secret", [None, "", "a wrong one"])
def test_what_comes_without_the_secret_is_not_kept(sound: Job, secret: str | None) -> None:
    assert send(sound, "DRAFT_READY", secret=secret).status_code == 401
    assert not kept(sound) and not counted(sound)


def test_what_is_applied_or_replayed_is_not_kept(sound: Job) -> None:
    same = {"event_id": "e-1", "occurred_at": datetime.now(UTC).isoformat()}
    assert [send(sound, "AUDIO_READY", **same).status_code for _ in range(2)] == [204, 200]
    assert not kept(sound) and not counted(sound)


@pytest.mark.parametrize("job_id", ["01a21d09-0000-7000-8000-000000000000", "no-id"])
def test_of_a_job_that_is_not_there_nothing_is_kept(job_id: str) -> None:
    assert post(job_id, {"event_id": "e-1"}).status_code in (400, 404)
    assert not RefusedCallback.objects.exists() and not RefusedCallbackCount.objects.exists()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"{", "body: parse_error"),
        (b"[1]", ""),
        ({"event_id": "a\x00b", "status": ["x"], "occurred_at": 1, "Words of the owner": 1}, ""),
        (
            {
                "event_id": ["Words of the owner"],
                "status": "Words of the owner",
                "failure_message": "Words of the owner",
            },
            "",
        ),
    ],
)
def test_a_body_that_cannot_be_read_leaves_no_content(sound: Job, body: Any, fields: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert post(sound.pk, content).status_code == 400
    refused = RefusedCallback.objects.get(job=sound)
    assert (refused.code, refused.status, refused.event_id) == ("VALIDATION_ERROR", "", "")
    assert "Words" not in refused.fields + refused.message and (not fields or refused.fields == fields)


def test_a_body_of_another_type_is_kept_as_refused(sound: Job) -> None:
    path, headers = f"/api/v1/internal/jobs/{sound.pk}/status", {"x-callback-secret": SECRET}
    assert Client().post(path, "status=DONE", content_type="text/plain", headers=headers).status_code == 415
    assert kept(sound) == [("UNSUPPORTED_MEDIA_TYPE", "")]


def test_a_long_id_of_an_event_is_cut(sound: Job) -> None:
    send(sound, "AUDIO_READY", event_id="x" * 256)
    refused = RefusedCallback.objects.get(job=sound)
    assert (refused.event_id, refused.fields) == ("x" * 255, "event_id: max_length")


def test_beyond_the_first_fifty_they_are_counted(sound: Job) -> None:
    for _ in range(RefusedCallback.MAX_A_JOB + 3):
        send(sound, "DRAFT_READY")
    assert (len(kept(sound)), counted(sound)) == (50, 53)
    assert read_story(sound).only_counted == 3


def test_of_many_at_once_each_counts_once(sound: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RefusedCallback, "MAX_A_JOB", 5)
    assert {answer.status_code for answer in at_once(8, lambda number: send(sound, "DRAFT_READY"))} == {409}
    assert (len(kept(sound)), counted(sound)) == (5, 8)


def test_they_stand_in_the_timeline_in_their_order(sound: Job) -> None:
    send(sound, "DRAFT_READY")
    send(sound, "AUDIO_READY")
    told = [moment.title for moment in read_story(sound).moments][-2:]
    assert told[0] == "Callback refused: FSM_TRANSITION_INVALID" and "reported" in told[1]
    moment = read_story(sound).moments[-2]
    assert moment.tone == "bad" and dict(moment.facts)["status"] == "DRAFT_READY"


def test_they_are_never_changed_and_go_with_their_job(sound: Job) -> None:
    send(sound, "DRAFT_READY")
    for change in (
        lambda: RefusedCallback.objects.update(code="OTHER"),
        lambda: RefusedCallback.objects.all().delete(),
    ):
        with pytest.raises((DatabaseError, InternalError)), transaction.atomic():
            change()
    cancel_job(job_id=sound.pk, by=by_editor(sound.owner))
    delete_job(job_id=sound.pk, user=User.objects.get(pk=sound.owner_id))
    assert not RefusedCallback.objects.exists() and not RefusedCallbackCount.objects.exists()


def test_a_refusal_that_cannot_be_written_is_answered_all_the_same(
    sound: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.services.refusals._COUNTS", "no_such_table")
    assert send(sound, "DRAFT_READY").status_code == 409 and not kept(sound)
