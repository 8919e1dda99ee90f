"""Exports over HTTP: identity, provenance, the job's way to DONE, failures and the signed download."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from config.storage import storage
from exports.models import Export
from jobs.states import JobStatus
from tests.desk import BLUR, Desk
from tests.errors import assert_shape
from tests.exports.asking import done, request_export
from tests.factories import force, perform, work_off
from tests.jobs.seen import status_of

pytestmark = [pytest.mark.slow, pytest.mark.both_storages]


@pytest.mark.file_system
@pytest.mark.parametrize(
    ("format", "start"), [("PDF", b"%PDF-"), ("MD_ZIP", b"PK\x03\x04"), ("HTML", b"<!DOCTYPE html>")]
)
def test_an_export_is_made_downloaded_and_ends_the_job(desk: Desk, format: str, start: bytes) -> None:
    task = desk.picture()
    drawn = desk.annotate(task, BLUR).json()
    asked = request_export(desk, format)
    assert (asked.status_code, asked.json()["status"], status_of(desk.job)) == (202, "REQUESTED", "EXPORTING")
    assert asked.headers["Location"] == f"/api/v1/exports/{asked.json()['id']}"
    assert "download_url" not in asked.json()
    work_off()
    export = desk.api.get(f"/exports/{asked.json()['id']}").json()
    assert (export["status"], export["last_audit_event"], status_of(desk.job)) == (
        "SUCCEEDED",
        "EXPORT_SUCCEEDED",
        "DONE",
    )
    assert export["provenance"]["anchors"] == [
        {
            "anchor_id": task["anchor_id"],
            "active_asset_id": drawn["rendered_asset_id"],
            "rendered_asset_id": drawn["rendered_asset_id"],
        }
    ]
    path = export["download_url"].split("/api/v1", 1)[1]
    answer = Client().get(f"/api/v1{path}")
    content = b"".join(answer.streaming_content)
    assert content.startswith(start)
    assert hashlib.sha256(content).hexdigest() == export["artifact_sha256"]
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="guide.')
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'; ")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    part = Client().get(f"/api/v1{path}", headers={"range": "bytes=1-3"})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, content[1:4])
    assert Client().head(f"/api/v1{path}").headers["Content-Length"] == str(len(content))
    outside = Client().get(f"/api/v1{path}", headers={"range": "bytes=999999999-"})
    assert_shape(outside, 416, "RANGE_NOT_SATISFIABLE")
    assert outside.headers["Content-Range"] == f"bytes */{len(content)}"


def test_the_same_identity_is_the_same_export_and_writes_nothing(desk: Desk) -> None:
    export = done(desk)
    events = desk.job.events.count()
    again = request_export(desk)
    assert (again.status_code, again.json()["id"]) == (200, export["id"])
    assert (desk.job.events.count(), Export.objects.count()) == (events, 1)


def test_another_picture_or_format_is_another_export(desk: Desk) -> None:
    first = done(desk)
    assert done(desk, "PDF")["id"] != first["id"]
    desk.picture()
    assert done(desk)["id"] != first["id"]


def test_the_same_input_gives_the_same_bytes(desk: Desk) -> None:
    from exports.renderers import RENDERERS
    from exports.services.sealing import sealed
    from exports.snapshot import Document

    desk.picture()
    for format in RENDERERS:
        export = Export.objects.get(pk=done(desk, format)["id"])
        document = Document.from_json(export.snapshot)
        uris = {str(asset.pk): asset.uri for asset in desk.job.assets.all()}
        again = RENDERERS[format].render(
            document, lambda picture, uris=uris: storage().open(uris[picture.asset_id]).read()
        )
        content = sealed(again, format=format, key_id=document.key_id)
        assert hashlib.sha256(content).hexdigest() == export.artifact_sha256


def test_once_it_succeeded_the_database_itself_refuses_every_change(desk: Desk) -> None:
    export = done(desk)
    for changed in ({"snapshot": {}}, {"artifact_sha256": "0"}, {"status": "FAILED"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Export.objects.filter(pk=export["id"]).update(**changed)


def test_a_missing_picture_fails_the_export_and_it_can_be_asked_for_again(desk: Desk) -> None:
    task = desk.picture()
    uri = desk.job.assets.get(pk=task["asset_id"]).uri
    content = storage().open(uri).read()
    storage().delete(uri)
    failed = done(desk)
    assert (failed["status"], failed["failure_code"], status_of(desk.job)) == (
        "FAILED",
        "ASSET_MISSING",
        "EDITING",
    )
    storage().save_bytes(f"jobs/{desk.job.pk}/", content, suffix=".png")
    again = request_export(desk)
    assert (again.status_code, again.json()["id"], again.json()["status"]) == (202, failed["id"], "REQUESTED")
    work_off()
    assert desk.api.get(f"/exports/{failed['id']}").json()["status"] == "SUCCEEDED"
    events = list(
        desk.job.events.filter(event_type__startswith="EXPORT")
        .order_by("id")
        .values_list("event_type", flat=True)
    )
    assert events == [
        "EXPORT_REQUESTED",
        "EXPORT_STARTED",
        "EXPORT_FAILED",
        "EXPORT_REQUESTED",
        "EXPORT_STARTED",
        "EXPORT_SUCCEEDED",
    ]


def test_while_another_export_runs_a_failure_leaves_the_job_exporting(desk: Desk) -> None:
    task = desk.picture()
    storage().delete(desk.job.assets.get(pk=task["asset_id"]).uri)
    first, _ = request_export(desk).json(), request_export(desk, "PDF").json()
    perform(Export.objects.get(pk=first["id"]))
    assert status_of(desk.job) == "EXPORTING"
    work_off()
    assert status_of(desk.job) == "EDITING"


@pytest.mark.parametrize(
    "changed", [{"format": "EXE"}, {"instruction_version_id": "odd"}, {"format": "pdf"}, {"format": "P" * 99}]
)
def test_an_unknown_format_or_version_is_invalid(desk: Desk, changed: dict[str, Any]) -> None:
    response = request_export(desk, **{"format": "PDF", **changed})
    assert (response.status_code, response.json()["code"]) == (400, "EXPORT_REQUEST_INVALID")


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (JobStatus.REGENERATING, "FSM_TRANSITION_INVALID"),
        (JobStatus.FAILED, "FSM_TERMINAL_IMMUTABLE"),
        (JobStatus.CANCELLED, "FSM_TERMINAL_IMMUTABLE"),
    ],
)
def test_an_export_in_the_wrong_state_is_refused(desk: Desk, state: JobStatus, code: str) -> None:
    force(desk.job, state)
    response = request_export(desk)
    assert (response.status_code, response.json()["code"]) == (409, code)


def test_an_export_of_a_done_job_leaves_it_done(desk: Desk) -> None:
    force(desk.job, JobStatus.DONE)
    assert (done(desk)["status"], status_of(desk.job)) == ("SUCCEEDED", "DONE")
