"""A database of a service that has long been in use: many jobs of many owners, most of them over.

Rows are copies of one that the factories made, written by one statement a table. What goes on at this moment does not
grow with them: the oldest ACTIVE jobs are spread over all statuses, so that whoever looks for a rare status from the
newest job on has all the others to pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from anchors.models import (
    Anchor,
    AnchorResolution,
    Asset,
    ImageUpload,
    RedactionRun,
    ScreenActivity,
    ScreenshotTask,
    SensitiveSearch,
)
from config.accounts.models import User
from exports.models import Export
from instructions.models import Instruction, InstructionVersion, RegenerateTask, StepSource
from jobs import states
from jobs.models import (
    Artifact,
    AuditEvent,
    CallbackEvent,
    Dispatch,
    Job,
    PipelineRun,
    Project,
    ScreenEvent,
    Tombstone,
    TranscriptSegment,
    UploadTicket,
)
from jobs.states import JobStatus
from tests import factories
from tests.screens import make_screen

ACTIVE = 600  # jobs, 40 of each status
WAITING = 200  # of them, those that are being processed
DEEP = 2_000  # rows of each kind that the one deep job has
FIRST_MS = int((datetime.now(UTC) - timedelta(days=12)).timestamp() * 1000)  # a million seconds are 11.6 days
CODES = ("TRANSCRIPTION_FAILED", "VIDEO_UNREADABLE", "ORCHESTRATOR_TIMEOUT")
TABLES: tuple[type[Model], ...] = (
    User, Project, Job, Dispatch, PipelineRun, AuditEvent, Artifact, CallbackEvent, TranscriptSegment, UploadTicket,
    Tombstone, Instruction, InstructionVersion, Anchor, AnchorResolution, Asset, ScreenshotTask, Export, StepSource,
    RegenerateTask, ImageUpload, ScreenEvent, ScreenActivity, SensitiveSearch, RedactionRun,
)  # fmt: skip


@dataclass(frozen=True)
class Many:
    """What was made: `owner` has every second job, all in `project`; `deep` has DEEP rows of each kind; `former` has
    a tenth of all jobs, all of them old."""

    owner: User
    former: User
    project: Project
    deep: Job


def key(model: type[Model], n: str = "n") -> str:
    """Return SQL for the UUIDv7 of the n-th copy: a second after the one before, and of no other table."""
    table = TABLES.index(model)
    return (
        f"(lpad(to_hex({FIRST_MS}::bigint + ({n})::bigint * 1000), 12, '0') || '7{table:03x}8000'"
        f" || lpad(to_hex(({n})::bigint + 65536), 12, '0'))::uuid"
    )


def copy(row: Model, first: int, last: int, **columns: str) -> None:
    """Insert a copy of the row for each n from `first` to `last`, with these columns as SQL says."""
    table, pk = row._meta.db_table, row._meta.pk
    assert pk
    names = [field.column for field in row._meta.concrete_fields]
    if pk.get_internal_type() == "UUIDField":
        columns.setdefault(pk.column, key(type(row)))
    else:
        names.remove(pk.column)
    values = ", ".join(columns.get(name, f'row."{name}"') for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({listed}) SELECT {values} FROM "{table}" AS row,'
            f""" generate_series({first}, {last}) AS n WHERE row."{pk.column}" = '{row.pk}'"""
        )


def make_many(jobs: int) -> Many:
    """Make so many jobs and audit events, and a tenth as many rows of each other kind; then ANALYZE."""
    deep = _make_deep_job()
    with transaction.atomic(), connection.cursor() as cursor:
        # As a replica: neither foreign keys nor the table of transitions are asked for each row.
        cursor.execute("SET LOCAL session_replication_role = replica")
        _copy_jobs(deep, jobs)
        _copy_records(deep, jobs)
        _copy_documents(deep, jobs)
        _deepen(deep, jobs)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(model._meta.db_table for model in TABLES))
    return Many(deep.owner, User.objects.get(subject="subject 1"), deep.project, deep)


def _make_deep_job() -> Job:
    """A job with a row of each kind, to be copied."""
    job = factories.make_job(JobStatus.EDITING, owner=factories.make_user("many"))
    PipelineRun.objects.create(
        job=job, owner=job.owner, lane="speech", dispatch=job.dispatch, status="SUCCEEDED"
    )
    UploadTicket.objects.create(
        job=job, key=f"uploads/{job.pk}/a", mime_type="video/mp4", size_bytes=1, expires_at=datetime.now(UTC),
        closed_at=datetime.now(UTC), filename="a.mp4",
    )  # fmt: skip
    Tombstone.objects.create(
        job_id=key_of(Tombstone, 0), project_id=job.project_id, owner_id=job.owner_id, last_status="DONE",
        created_at=job.created_at, deleted_by="x", correlation_id="x", files_removed_at=datetime.now(UTC),
    )  # fmt: skip
    make_screen(job)
    anchor = factories.make_anchor(job)
    factories.make_resolution(anchor)
    factories.make_asset(job, anchor=anchor)
    factories.make_screenshot_task(job, status="SUCCEEDED", anchor=anchor)
    ImageUpload.objects.create(
        job=job, key=f"pictures/{job.pk}/a", mime_type="image/png", size_bytes=1, expires_at=datetime.now(UTC),
        closed_at=datetime.now(UTC), filename="a.png", checksum_sha256="0" * 64,
    )  # fmt: skip
    factories.make_export(job, status="SUCCEEDED")
    factories.make_regenerate_task(job, status="SUCCEEDED")
    for once in (ScreenActivity, SensitiveSearch, RedactionRun):
        once._default_manager.create(job=job, owner_id=job.owner_id, status="SUCCEEDED")
    return Job.objects.select_related("owner", "project", "dispatch").get(pk=job.pk)


def key_of(model: type[Model], n: int) -> Any:
    """Return the id of the n-th copy."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {key(model, str(n))}")
        return cursor.fetchone()[0]


def _one_of(values: Any, index: str) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"(ARRAY[{listed}])[1 + ({index}) % {len(list(values))}]"


def _copy_jobs(deep: Job, jobs: int) -> None:
    others = max(1, jobs // 10)
    copy(deep.owner, 1, others, username="'user ' || n", subject="'subject ' || n")
    other = f"2 + n % {others - 1}"
    copy(deep.project, 1, others, owner_id=key(User), name="'Project ' || n")
    # Of every second job the owner; of every other one, in the oldest fifth, somebody who has made none since.
    former = f"n % 2 = 1 AND n <= {jobs // 5}"
    owner = f"CASE WHEN n % 2 = 0 THEN row.owner_id WHEN {former} THEN {key(User, '1')} ELSE {key(User, other)} END"
    over = _one_of(["DONE"] * 6 + ["UPLOADED", "FAILED", "CANCELLED", "EDITING"], "n / 2")
    status = f"CASE WHEN n <= {ACTIVE} THEN {_one_of(JobStatus.values, 'n / 2')} ELSE {over} END"
    newest = (jobs - jobs // 10 + 1, jobs)
    copy(
        deep, 1, jobs, status=status, owner_id=owner, updated_at="now()", manifest="'{}'", ingested_uris="'{}'",
        failure=f"CASE WHEN {status} = 'FAILED' THEN jsonb_build_object('failure_code', {_one_of(CODES, 'n')}) END",
        dispatch_id=f"CASE WHEN n <= {ACTIVE} OR n >= {newest[0]} THEN {key(Dispatch)} END",
        project_id=f"CASE WHEN n % 2 = 0 THEN row.project_id WHEN {former} THEN {key(Project, '1')}"
        f" ELSE {key(Project, other)} END",
    )  # fmt: skip
    run, dispatch = PipelineRun.objects.get(job=deep), deep.dispatch
    assert dispatch
    work = {"job_id": key(Job), "owner_id": owner}
    over = "CASE n % 50 WHEN 0 THEN 'FAILED' ELSE 'SUCCEEDED' END"
    copy(dispatch, *newest, **work)
    copy(run, *newest, **work, dispatch_id=key(Dispatch), status=over)
    processing = ", ".join(f"'{value}'" for value in states.PROCESSING)
    waits = f"CASE WHEN {status} IN ({processing})"
    copy(dispatch, 1, ACTIVE, **work, status=f"{waits} THEN 'ACCEPTED' ELSE row.status END")
    copy(
        run,
        1,
        ACTIVE,
        **work,
        dispatch_id=key(Dispatch),
        status=f"{waits} THEN 'PENDING' ELSE row.status END",
    )


def _copy_records(deep: Job, jobs: int) -> None:
    """An event of each job, and what else is written down of the newest tenth of them."""
    newest = (jobs - jobs // 10 + 1, jobs)
    has_failed = "n % 100 = 14"  # few, so that whoever looks for them in all events passes the others
    copy(
        deep.events.earliest("pk"),
        1,
        jobs,
        job_id=key(Job),
        event_type=f"CASE WHEN {has_failed} THEN 'JOB_FAILED' ELSE row.event_type END",
        data=f"CASE WHEN {has_failed} AND n % 200 = 14 THEN jsonb_build_object('failure_code', {_one_of(CODES, 'n')})"
        " ELSE row.data END",
    )
    for model in (Artifact, CallbackEvent, TranscriptSegment, ScreenEvent):
        copy(model._default_manager.filter(job=deep).earliest("pk"), *newest, job_id=key(Job))
    copy(UploadTicket.objects.get(job=deep), *newest, job_id=key(Job), key=f"'uploads/' || {key(Job)}")
    copy(ImageUpload.objects.get(job=deep), *newest, job_id=key(Job), key=f"'pictures/' || {key(Job)}")
    copy(Tombstone.objects.get(), *newest)


def _copy_documents(deep: Job, jobs: int) -> None:
    newest = (jobs - jobs // 10 + 1, jobs)
    first = f"n < {newest[0] + jobs // 50}"  # what the oldest fifth is, and none of the others
    document = deep.instruction
    copy(document, *newest, job_id=key(Job))
    of_document = {"instruction_id": key(Instruction)}
    copy(document.versions.get(), *newest, **of_document)
    copy(document.step_sources.earliest("pk"), *newest, **of_document)
    of_version = {"instruction_version_id": key(InstructionVersion)}
    anchor, of_job = document.anchors.get(), {"job_id": key(Job)}
    copy(anchor, *newest, **of_document, **of_version, active_asset_id=key(Asset))
    of_anchor = {**of_job, "anchor_id": key(Anchor)}
    copy(
        anchor.resolutions.get(), *newest, **of_anchor, target_version_id=key(InstructionVersion),
        state=f"CASE WHEN {first} THEN 'remap' ELSE row.state END",
        addressing=f"CASE WHEN {first} THEN '{{}}'::jsonb END",
    )  # fmt: skip
    copy(
        deep.assets.get(),
        *newest,
        **of_anchor,
        is_deleted=first,
        kind=f"CASE WHEN {first} THEN 'EXTRACTED' ELSE row.kind END",
    )
    failed = f"CASE WHEN {first} THEN 'FAILED' ELSE 'SUCCEEDED' END"
    task, export = deep.screenshot_tasks.get(), deep.exports.get()
    copy(
        task,
        *newest,
        **of_anchor,
        **of_version,
        request_key="'key ' || n",
        status=failed,
        operation=f"CASE WHEN {first} THEN 'replace' ELSE row.operation END",
    )
    copy(deep.regenerate_tasks.get(), *newest, **of_job, **of_document, status=failed)
    for once in (deep.screen_activity, deep.sensitive_search, deep.redaction_run):
        copy(once, *newest, **of_job, status=failed)
    copy(
        export,
        *newest,
        **of_job,
        **of_version,
        identity_key="'identity ' || n",
        status=failed,
        format=f"CASE WHEN {first} THEN 'MD_ZIP' ELSE row.format END",
    )


def _deepen(deep: Job, jobs: int) -> None:
    """Give one job many rows of each kind that is listed by job or by document, and its owner many projects.

    They are the last that a list of all would come to: old, as lists begin at the newest; events new.
    """
    document, old, newest = deep.instruction, (-DEEP, -1), DEEP + 1
    document.versions.update(version=newest)
    Instruction.objects.filter(pk=document.pk).update(version=newest)
    copy(deep.project, *old)
    copy(deep.events.earliest("pk"), jobs + 1, jobs + DEEP)
    copy(deep.segments.earliest("pk"), *old, position="-n", start_ms="-n * 1000")
    copy(deep.screen_events.earliest("pk"), *old, position="-n", at_ms="-n * 1000")
    copy(document.versions.get(), *old, version=f"n + {newest}")
    copy(document.anchors.get(), *old, active_asset_id="NULL")
    copy(deep.exports.get(), *old, identity_key="'deep ' || n")
    copy(deep.assets.get(), *old, anchor_id="NULL", kind="'UPLOADED'")
