"""A process killed between each two steps of a ticket, of its confirmation, and of putting the picture on an anchor.

After each kill the client makes the same call again. Nothing may be half written, done twice or stuck.
"""

from __future__ import annotations

from typing import Any

import pytest

from anchors.models import Asset, AttachRequest, ImageUpload
from config.storage import storage
from jobs.models import AuditEvent, Job
from jobs.states import JobStatus
from tests.anchors.uploading import attach, confirm, confirmed, declared, picture, sent
from tests.factories import Api, make_anchor, make_job
from tests.jobs.killer import Killer, after_each_step

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True), pytest.mark.timeout(170)]
CONTENT = picture()
API = "/api/v1"


def events(job: Job, event_type: str) -> int:
    return AuditEvent.objects.filter(job=job, event_type=event_type).count()


def test_a_ticket_that_is_killed(api: Api, killer: Killer) -> None:
    path, body = "/jobs/{}/screenshots/uploads", declared(CONTENT)

    def check(job: Job) -> None:
        tickets = ImageUpload.objects.filter(job=job).count()
        assert tickets == events(job, "SCREENSHOT_UPLOAD_STARTED") <= 1
        assert (Job.objects.get(pk=job.pk).status == "EDITING") is bool(tickets)
        assert confirmed(api, job, CONTENT)["version"] == 1

    kills = after_each_step(
        killer,
        lambda: make_job(JobStatus.DRAFT_READY, owner=api.user),
        lambda job: {
            "method": "POST",
            "path": API + path.format(job.pk),
            "body": body,
            "headers": api.headers,
        },
        check,
    )
    assert kills >= 10


def test_a_confirmation_that_is_killed(api: Api, killer: Killer) -> None:
    tickets: dict[Any, Any] = {}

    def uploaded() -> Job:
        job = make_job(JobStatus.EDITING, owner=api.user)
        tickets[job.pk] = sent(api, job, CONTENT)
        return job

    def request(job: Job) -> dict[str, Any]:
        path = f"/jobs/{job.pk}/screenshots/uploads/{tickets[job.pk]['upload_id']}/confirm"
        body = {**declared(CONTENT), "width": 64, "height": 48}
        del body["filename"]
        return {"method": "POST", "path": API + path, "body": body, "headers": api.headers}

    def check(job: Job) -> None:
        pictures = Asset.objects.filter(job=job)
        upload = ImageUpload.objects.get(job=job)
        made = pictures.count()
        assert made == events(job, "SCREENSHOT_UPLOADED") <= 1
        assert (upload.closed_at is not None) is bool(made)
        again = confirm(api, job, tickets[job.pk], CONTENT)
        assert again.status_code == 200, again.content
        asset = pictures.get()
        assert again.json()["asset"]["id"] == str(asset.pk)
        with storage().open(asset.uri) as file:
            assert file.read() == CONTENT

    assert after_each_step(killer, uploaded, request, check) >= 10


def test_an_attachment_that_is_killed(api: Api, killer: Killer) -> None:
    placed: dict[Any, tuple[Any, str]] = {}

    def taken() -> Job:
        job = make_job(JobStatus.EDITING, owner=api.user)
        placed[job.pk] = make_anchor(job), confirmed(api, job, CONTENT)["upload_id"]
        return job

    def request(job: Job) -> dict[str, Any]:
        anchor, upload_id = placed[job.pk]
        body = {
            "upload_id": upload_id,
            "instruction_version_id": str(anchor.instruction_version_id),
            "idempotency_key": "a",
        }
        path = f"{API}/anchors/{anchor.pk}/attach-upload"
        return {"method": "POST", "path": path, "body": body, "headers": api.headers}

    def check(job: Job) -> None:
        anchor, upload_id = placed[job.pk]
        anchor.refresh_from_db()
        asset = Asset.objects.get(job=job)
        is_done = asset.anchor_id is not None
        assert (anchor.active_asset_id == asset.pk) is is_done
        assert (
            events(job, "SCREENSHOT_ATTACHED")
            == AttachRequest.objects.filter(anchor=anchor).count()
            == is_done
        )
        again = attach(api, anchor.pk, upload_id, anchor.instruction_version_id, idempotency_key="a")
        assert (again.status_code, again.json()["active_asset_id"]) == (200, str(asset.pk))
        assert (events(job, "SCREENSHOT_ATTACHED"), Asset.objects.filter(job=job).count()) == (1, 1)

    assert after_each_step(killer, taken, request, check) >= 10
