"""What a transition writes: every column, the audit event and further rows, in one statement."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import models, transaction
from django.db.models.expressions import RawSQL

from config.api.errors import ApiError
from jobs.models import Artifact, AuditEvent, Job
from jobs.services.audit import Attribution
from jobs.services.rows import RowInsert
from jobs.services.transitions import lock_job, move_job
from jobs.states import ActorType, JobStatus
from tests.factories import make_job

EDITOR = Attribution(ActorType.EDITOR, "somebody", "c-1")
# What the caller may set on a locked job, by field; the others are the transition's own, or are not set twice.
SET: dict[str, Any] = {
    "options": {"title": "Another"},
    "manifest": {"video_uri": "gs://a/b", "exports": []},
    "ingested_uris": {"draft": "gs://a/c"},
    "instruction_id": "01993c5e-7a10-7c3b-9d52-4e1f6a7b8c9d",
    "latest_applied_occurred_at": datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
    "failure": {"failure_code": "ODD"},
    "idempotency_key": "key-1",
    "idempotency_sha256": "ab" * 32,
    "created_at": datetime(2026, 3, 1, tzinfo=UTC),
}
OWN = {"id", "status", "revision", "updated_at", "project", "owner", "dispatch"}


def test_every_column_is_the_callers_or_the_transitions_own() -> None:
    assert {field.name for field in Job._meta.concrete_fields} == OWN | set(SET)


@pytest.mark.parametrize("name", SET)
def test_whatever_is_set_on_the_locked_job_is_written(db: None, name: str) -> None:
    job_id = make_job(JobStatus.UPLOADED).pk
    with transaction.atomic():
        job = lock_job(job_id)
        setattr(job, name, SET[name])
        move_job(job, "cancel", by=EDITOR)
    saved = Job.objects.get(pk=job_id)
    value = getattr(saved, name)
    assert (str(value) if name == "instruction_id" else value) == SET[name]
    assert saved.status == "CANCELLED"


def test_a_refused_transition_writes_nothing(db: None) -> None:
    job_id = make_job(JobStatus.UPLOADED).pk
    events = AuditEvent.objects.filter(job=job_id).count()
    with pytest.raises(ApiError), transaction.atomic():
        job = lock_job(job_id)
        job.options = {"title": "lost"}
        move_job(job, "upload", by=EDITOR)
    saved = Job.objects.get(pk=job_id)
    assert (saved.status, saved.options, saved.revision) == ("UPLOADED", {"auto_screenshots": False}, 1)
    assert AuditEvent.objects.filter(job=job_id).count() == events


def test_a_transition_is_one_statement(db: None, django_assert_num_queries: Any) -> None:
    job_id = make_job(JobStatus.UPLOADED).pk
    with transaction.atomic():
        job = lock_job(job_id)
        rows = RowInsert.of(*(Artifact(job=job, kind=kind, version=1) for kind in ("a", "b")))
        with django_assert_num_queries(1):
            move_job(job, "run", by=EDITOR, with_rows=[rows])
    event = AuditEvent.objects.filter(job=job_id).latest("id")
    assert (event.event_type, event.prev_status, event.new_status) == (
        "JOB_RUN",
        "UPLOADED",
        "AUDIO_EXTRACTING",
    )
    assert (event.actor_id, event.correlation_id, event.data) == ("somebody", "c-1", {})
    assert set(Artifact.objects.filter(job=job_id).values_list("kind", flat=True)) == {"video", "a", "b"}


def test_an_inserted_row_is_its_instance_with_the_databases_defaults(db: None) -> None:
    job = make_job(JobStatus.UPLOADED)
    expression: models.Expression = RawSQL("SELECT 3 + %s", [4])
    insert = RowInsert.of(Artifact(job=job, kind="metrics", version=expression, data={"a": [1, None]}))
    assert "created_at" not in insert.sql
    with transaction.atomic():
        move_job(lock_job(job.pk), "run", by=EDITOR, with_rows=[insert])
    saved = job.artifacts.get(kind="metrics")
    assert (saved.version, saved.data, saved.uri, saved.size_bytes) == (7, {"a": [1, None]}, "", None)
    assert saved.created_at
