"""Confirming at the same time: one call a job looks at the file, and few of a user."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from config.sandbox import SandboxError
from config.storage import storage
from jobs.media.probe import probe_video
from jobs.services import confirmation
from tests.factories import SAMPLE, Api, make_job, upload
from tests.races import at_once
from tests.uploads import kept

pytestmark = pytest.mark.both_storages


@pytest.mark.django_db(transaction=True)
def test_of_many_confirms_at_once_one_probes_and_holds_no_transaction(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed: list[bool] = []

    def probe_slowly(path: Path) -> Any:
        probed.append(connection.in_atomic_block)
        time.sleep(0.5)
        return probe_video(path)

    monkeypatch.setattr(confirmation, "probe_in_child", probe_slowly)
    job = make_job(owner=owner.user)
    uri = upload(owner, job.pk, SAMPLE.read_bytes())
    path = f"/jobs/{job.pk}/confirm-upload"
    answers = at_once(5, lambda _: owner.post(path, {"video_uri": uri}))
    assert probed == [False]
    taken = [answer.json()["replayed"] for answer in answers if answer.status_code == 200]
    assert sorted(taken) == [False] + [True] * (len(taken) - 1)
    assert {answer.status_code for answer in answers} <= {200, 429}


@pytest.mark.django_db(transaction=True)
def test_a_user_has_few_recordings_looked_at_at_once(
    owner: Api, stranger: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_refused = threading.Event()

    def probe_last(path: Path) -> Any:
        assert is_refused.wait(15), "a third recording is looked at"
        return probe_video(path)

    def confirm(number: int) -> Any:
        user, job, uri = asked[number]
        answer = user.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": uri})
        if answer.status_code == 429:
            is_refused.set()
        return answer

    monkeypatch.setattr(confirmation, "probe_in_child", probe_last)
    jobs = [(user, make_job(owner=user.user)) for user in (owner, owner, owner, stranger)]
    asked = [(user, job, upload(user, job.pk, SAMPLE.read_bytes())) for user, job in jobs]
    *mine, other = at_once(4, confirm)
    assert sorted(answer.status_code for answer in mine) == [200, 200, 429]
    assert other.status_code == 200
    (refused,) = [answer for answer in mine if answer.status_code == 429]
    assert (refused.json()["code"], int(refused.headers["Retry-After"])) == ("RATE_LIMITED", 2)


@pytest.mark.django_db(transaction=True)
def test_who_waits_too_long_for_another_confirm_is_told_to_come_again(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, other = make_job(owner=owner.user), make_job(owner=owner.user)
    uris = {one.pk: upload(owner, one.pk, SAMPLE.read_bytes()) for one in (job, other)}
    monkeypatch.setattr(confirmation, "WAIT_SECONDS", 0.2)
    answers: list[Any] = []

    def probe_beside(path: Path) -> Any:
        if not answers:
            answers.append(None)
            for one in (job, other):
                path_of = f"/jobs/{one.pk}/confirm-upload"
                (answer,) = at_once(
                    1, lambda _, at=path_of, one=one: owner.post(at, {"video_uri": uris[one.pk]})
                )
                answers.append(answer)
        return probe_video(path)

    monkeypatch.setattr(confirmation, "probe_in_child", probe_beside)
    first = owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": uris[job.pk]})
    _, same, others = answers
    assert (same.status_code, same.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert int(same.headers["Retry-After"]) >= 1
    assert (others.status_code, first.status_code) == (200, 200)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lost", ["session", "turn"])
def test_a_confirm_that_lost_its_turn_does_not_take_the_file_of_the_next(
    owner: Api, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """Its database session ends while it looks at the file; the next confirms the same bytes. Then the first is
    refused, by a 503 of its own or since another video is confirmed."""
    job = make_job(owner=owner.user)
    uris = [upload(owner, job.pk, SAMPLE.read_bytes()) for _ in range(2)]
    path = f"/jobs/{job.pk}/confirm-upload"
    seen: list[Any] = []

    def probe_late(file: Path) -> Any:
        if not seen:
            seen.append(None)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid(), pg_advisory_unlock_all()")
                pid = cursor.fetchone()[0]
            seen.extend(at_once(1, lambda _: confirm_next(pid)))
            if lost == "session":
                raise SandboxError("WORKER_CRASHED", may_pass=True)
        return probe_video(file)

    def confirm_next(pid: int) -> Any:
        if lost == "session":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        return owner.post(path, {"video_uri": uris[1]})

    monkeypatch.setattr(confirmation, "probe_in_child", probe_late)
    first = owner.post(path, {"video_uri": uris[0]})
    assert seen[1].status_code == 200, seen[1].content
    assert (first.status_code, first.json()["code"]) == (
        (503, "SERVICE_UNAVAILABLE") if lost == "session" else (409, "VIDEO_URI_CONFLICT")
    )
    connection.close()
    assert kept(job) == SAMPLE.read_bytes()


@pytest.mark.django_db(transaction=True)
def test_a_confirm_that_may_succeed_later_leaves_the_file_to_the_sweep(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another call may have kept it again meanwhile, and be about to write its row."""

    def lose(file: Path) -> Any:
        raise SandboxError("WORKER_CRASHED", may_pass=True)

    job = make_job(owner=owner.user)
    uri = upload(owner, job.pk, SAMPLE.read_bytes())
    monkeypatch.setattr(confirmation, "probe_in_child", lose)
    answer = owner.post(f"/jobs/{job.pk}/confirm-upload", {"video_uri": uri})
    assert answer.status_code == 503
    assert storage().size(
        f"{storage().scheme}jobs/{job.pk}/{hashlib.sha256(SAMPLE.read_bytes()).hexdigest()}"
    )
