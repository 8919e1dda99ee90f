"""Ask for many exports of jobs that are DONE at once: a few statements read and write them all.

Only what is plain is done so. What is not (a picture that is concealed or changes meanwhile, a job that somebody else
has locked, a full quota, an export that has failed before) is asked for alone, by `request_in_bulk`, which says how it
ends.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction

from config.api.errors import ApiError
from config.work.lanes import Lane
from exports.freeze import ActivePicture
from exports.models import Export
from exports.services.evidence import published_evidence
from exports.services.freezing import freeze_version
from exports.services.pictures import frozen_from, origins_of, pictures_of, resolved_pictures, shown_in
from exports.services.recording import videos_of
from exports.services.requests import QUOTA_SHARE_LEFT, new_export, request_in_bulk
from exports.services.selection import Wanted
from exports.services.templates import looks_of
from exports.snapshot import Document
from jobs.models import AuditEvent, Job
from jobs.services.audit import by_system, make_event, record_events
from jobs.services.quota import used_by_owner
from jobs.services.transitions import lock_free_jobs
from jobs.states import JobStatus


class Asked(NamedTuple):
    """An export that was asked for; `is_known` when it was there before."""

    pk: UUID
    status: str
    is_known: bool


def request_all(wanted: Sequence[Wanted], *, correlation_id: str) -> list[Asked | ApiError]:
    """Ask for these exports as `request_in_bulk` does for one; return what became of each, in their order."""
    drafts = _drafts(wanted, correlation_id)
    used = used_by_owner({one.job.owner_id for one in drafts})  # a sum over rows, which no lock waits for
    with transaction.atomic():
        answers = _write(drafts, used, correlation_id)
    return [answers.get(one) or _ask_alone(one, correlation_id) for one in wanted]


def _ask_alone(wanted: Wanted, correlation_id: str) -> Asked | ApiError:
    job, version, format = wanted
    try:
        export, is_known = request_in_bulk(
            job=job, version=version, format=format, correlation_id=correlation_id
        )
    except ApiError as refused:
        return refused
    return Asked(export.pk, export.status, is_known)


def _drafts(
    wanted: Sequence[Wanted], correlation_id: str
) -> dict[Wanted, tuple[Export, list[ActivePicture]]]:
    """Return the exports with their identity, not saved yet, and the pictures that were read."""
    frozen = _frozen({one.version.pk: one for one in wanted}.values())
    drafts = {}
    for one in wanted:
        if one.version.pk in frozen:
            document, active = frozen[one.version.pk]
            export = new_export(one.job, one.version, document, format=one.format, idempotency_key=None)
            export.lane, export.correlation_id = Lane.EXPORT_BACKFILL, correlation_id
            drafts[one] = export, active
    return drafts


def _frozen(wanted: Collection[Wanted]) -> dict[UUID, tuple[Document, list[ActivePicture]]]:
    """Return by version its document and the pictures that were read; without those of which a picture is concealed or
    cannot be placed."""
    pictures = pictures_of({one.version.instruction_id for one in wanted})
    origins = origins_of(anchor for anchors in pictures.values() for anchor in anchors)
    looks = looks_of({one.job.project_id for one in wanted})
    videos = videos_of({one.job.pk for one in wanted})
    steps = published_evidence([one.version for one in wanted])
    frozen = {}
    for job, version, _ in wanted:
        anchors, look = pictures[version.instruction_id], looks[job.project_id]
        if any(anchor.active_asset and anchor.active_asset.is_concealed for anchor in anchors):
            continue
        try:
            active = resolved_pictures(anchors, version, origins)
        except ApiError:
            continue
        document = freeze_version(job, version, active, look, videos=videos[job.pk], steps=steps[version.pk])
        frozen[version.pk] = document, active
    return frozen


def _write(
    drafts: dict[Wanted, tuple[Export, list[ActivePicture]]], used: dict[UUID, int], correlation_id: str
) -> dict[Wanted, Asked | ApiError]:
    """Write what is new and may be, the jobs locked; return what has been dealt with. `used` is by owner."""
    jobs = lock_free_jobs(one.job.pk for one in drafts)
    shown = shown_in({one.version for one in drafts})
    known = _known([export for export, _ in drafts.values()])
    answers: dict[Wanted, Asked | ApiError] = {}
    new: list[Export] = []
    for one, (export, active) in drafts.items():
        job = jobs.get(one.job.pk)
        is_as_read = shown[one.version.pk] == frozen_from(active)
        if job is None or job.status != JobStatus.DONE or not is_as_read:
            continue
        earlier = known.get((job.pk, export.identity_key))
        if earlier and earlier.status != Export.FAILED:
            answers[one] = earlier
        elif not earlier and _has_room(used[job.owner_id]):
            new.append(export)
            answers[one] = Asked(export.pk, export.status, is_known=False)
    _insert(new, jobs, correlation_id)
    return answers


def _known(exports: Sequence[Export]) -> dict[tuple[UUID, str], Asked]:
    rows = Export.objects.filter(
        job__in=[export.job_id for export in exports],
        identity_key__in=[export.identity_key for export in exports],
    )
    columns = rows.values_list("job_id", "identity_key", "pk", "status")
    return {(job_id, key): Asked(pk, status, True) for job_id, key, pk, status in columns}


def _has_room(used: int) -> bool:
    """Return whether the owner has the room that `_Asker.require_room` wants for a backfill."""
    limit = settings.QUOTA_BYTES_PER_OWNER
    return used + int(limit * QUOTA_SHARE_LEFT) <= limit


def _insert(exports: Sequence[Export], jobs: dict[UUID, Job], correlation_id: str) -> None:
    Export.objects.bulk_create(exports)
    record_events(_requested(export, jobs[export.job_id], correlation_id) for export in exports)
    if exports:
        exports[0].enqueue_on_commit()  # who claims as many as may be claimed at once tells of the rest


def _requested(export: Export, job: Job, correlation_id: str) -> AuditEvent:
    data = {"export_id": str(export.pk), "format": export.format}
    return make_event(job, "EXPORT_REQUESTED", by=by_system(correlation_id), data=data)
