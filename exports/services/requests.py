"""Ask for an export: what it is made of is frozen then, and decides which export it is."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from uuid6 import uuid7

from config.accounts.models import User
from config.api import errors, request_id
from config.api.ownership import parse_id
from config.work.lanes import BULK, Lane
from config.work.limits import require_room
from exports.freeze import ActivePicture
from exports.identity import identify
from exports.look import Look
from exports.models import Export
from exports.services.evidence import published_evidence
from exports.services.freezing import freeze_version
from exports.services.pictures import active_pictures, frozen_from, origins_of, resolved_pictures, shown_now
from exports.services.recording import videos_of
from exports.services.templates import look_of
from exports.snapshot import Document
from instructions.models import InstructionVersion
from instructions.services.versions import open_document
from jobs.models import Job
from jobs.services.audit import Attribution, by_editor, by_system, record_event
from jobs.services.quota import require_bytes
from jobs.services.transitions import lock_job, move_job, transition_refused
from jobs.states import JobStatus

ALLOWED_STATUSES = (JobStatus.EDITING, JobStatus.EXPORTING, JobStatus.DONE)
# What a backfill leaves of an owner's quota, so that the owner's own requests go on.
QUOTA_SHARE_LEFT = 0.1
# How often what an export is made of may change between its reading and the lock.
MAX_TRIES = 5


@dataclass(frozen=True)
class _Asker:
    """Who asks for an export, and the lane that performs it."""

    by: Attribution
    lane: Lane

    def require_status(self, job: Job) -> None:
        """Open the document for an editor; raise the 409 of the contract. A backfill changes no job's status."""
        is_bulk = self.lane in BULK
        if not is_bulk:
            open_document(job, by=self.by)
        if job.status not in ((JobStatus.DONE,) if is_bulk else ALLOWED_STATUSES):
            raise transition_refused(job, attempted=JobStatus.EXPORTING)

    def require_room(self, job: Job) -> None:
        """Raise 429 or 507 when the owner has no room for one more."""
        if self.lane in BULK:
            require_bytes(job.owner_id, int(settings.QUOTA_BYTES_PER_OWNER * QUOTA_SHARE_LEFT))
        else:
            require_room(Export, job.owner_id)
            require_bytes(job.owner_id)


def request_export(
    *,
    job: Job,
    user: User,
    format: str,
    instruction_version_id: object,
    paper_size: str | None = None,
    idempotency_key: str | None,
) -> tuple[Export, bool]:
    """Ask for an export of one version; return (export, replayed). The same identity is the same export."""
    version = _get_version(job, instruction_version_id)
    if format not in Export.Format.values or version is None:
        raise errors.ApiError(
            400,
            "EXPORT_REQUEST_INVALID",
            "The format is unknown, or the version is not one of this job's instruction.",
            hint=f"Formats: {', '.join(Export.Format.values)}. Versions: GET /instructions/{{instructionId}}/versions.",
        )
    asker = _Asker(by_editor(user), Lane.EXPORTS)
    look = look_of(job.project_id, paper_size)
    return _request_frozen(job, asker, version, format, look, idempotency_key)


def request_in_bulk(
    *, job: Job, version: InstructionVersion, format: str, correlation_id: str
) -> tuple[Export, bool]:
    """Ask for an export of a job that is DONE in the name of the system; return (export, replayed).

    It is performed in a lane of its own and counts into no limit of the owner's; a tenth of the quota is left. Raise
    the ApiError of a request that is refused.
    """
    asker = _Asker(by_system(correlation_id), Lane.EXPORT_BACKFILL)
    return _request_frozen(job, asker, version, format, look_of(job.project_id, None), None)


def _request_frozen(
    job: Job,
    asker: _Asker,
    version: InstructionVersion,
    format: str,
    look: Look,
    idempotency_key: str | None,
) -> tuple[Export, bool]:
    for _ in range(MAX_TRIES):
        anchors = active_pictures(version)
        pictures = resolved_pictures(anchors, version, origins_of(anchors))
        document = freeze_version(
            job,
            version,
            pictures,
            look,
            videos=videos_of([job.pk])[job.pk],
            steps=published_evidence([version])[version.pk],
        )
        if requested := _request(job, asker, version, pictures, document, format, idempotency_key):
            return requested
    raise errors.ApiError(
        503,
        "SERVICE_UNAVAILABLE",
        "The pictures of this guide kept changing while the export was made ready.",
        headers={"Retry-After": "1"},
    )


def _request(
    job: Job,
    asker: _Asker,
    version: InstructionVersion,
    pictures: list[ActivePicture],
    document: Document,
    format: str,
    idempotency_key: str | None,
) -> tuple[Export, bool] | None:
    """Write what was frozen, the job locked; return None when the pictures are others by now."""
    export = new_export(job, version, document, format=format, idempotency_key=idempotency_key)
    export.lane, export.correlation_id = asker.lane, asker.by.correlation_id or export.correlation_id
    with transaction.atomic():
        job = lock_job(job.pk)
        asker.require_status(job)
        if shown_now(version) != frozen_from(pictures):
            return None
        known = _known_export(job, export.identity_key, idempotency_key)
        if known and known.status != Export.FAILED:
            _tell_again(known, asker.lane)
            return known, True
        asker.require_room(job)
        if known:
            # What failed may name pictures that are concealed by now; others with the same bytes took their places.
            Export.objects.filter(pk=known.pk).update(
                snapshot=export.snapshot, lane=export.lane, correlation_id=export.correlation_id
            )
            known.reopen()
            export = known
        else:
            export.job = job
            export.save(force_insert=True)
            export.enqueue_on_commit()
        data = {"export_id": str(export.pk), "format": format}
        if job.status == JobStatus.EDITING:
            move_job(job, "export", by=asker.by, data=data)
        else:
            record_event(job, "EXPORT_REQUESTED", by=asker.by, data=data)
    return export, False


def render_again(*, export: Export, by: Attribution) -> None:
    """Have a FAILED export performed once more, from what was frozen for it; no job is moved by that.

    Raise the 409 of one that has not failed, or whose job has no open document.
    """
    with transaction.atomic():
        job = lock_job(export.job_id)
        if job.status not in ALLOWED_STATUSES:
            raise transition_refused(job, attempted=JobStatus.EXPORTING)
        locked = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
        if locked.status != Export.FAILED:
            raise errors.conflict(
                "FSM_TRANSITION_INVALID",
                "Only an export that has failed is rendered again.",
                current_status=locked.status,
                attempted_status=Export.WAITING,
                allowed_next_statuses=[],
            )
        locked.reopen()
        data = {"export_id": str(locked.pk), "format": locked.format}
        record_event(job, "EXPORT_REQUESTED", by=by, data=data)


def _tell_again(export: Export, lane: Lane) -> None:
    """Tell the workers of a locked export that waits: a claim in this moment passes over it, and its message is gone.

    When an editor asks for it, who waits for no backfill, it leaves the lane of one.
    """
    if export.lane in BULK and lane not in BULK and export.status in Export.ACTIVE:
        export.lane = lane
        export.save(update_fields=["lane"])
    if export.status == Export.WAITING:
        export.enqueue_on_commit()


def _get_version(job: Job, raw_id: object) -> InstructionVersion | None:
    versions = InstructionVersion.objects.select_related("instruction")
    return versions.filter(instruction__job=job, pk=parse_id(raw_id)).first()


def new_export(
    job: Job, version: InstructionVersion, document: Document, *, format: str, idempotency_key: str | None
) -> Export:
    """Return the export with its identity, not saved yet."""
    identity = identify(document, format=format)
    return Export(
        job=job,
        owner_id=job.owner_id,
        status=Export.WAITING,
        instruction_version=version,
        format=format,
        identity_key=identity.identity_key,
        screenshot_set_hash=identity.screenshot_set_hash,
        renderer_version=identity.renderer_version,
        instruction_snapshot_id=uuid7(),
        snapshot=document.to_json(),
        idempotency_key=idempotency_key,
        correlation_id=request_id.current(),
    )


def _known_export(job: Job, key: str, idempotency_key: str | None) -> Export | None:
    if idempotency_key:
        earlier = job.exports.filter(idempotency_key=idempotency_key).first()
        if earlier and earlier.identity_key != key:
            raise errors.conflict("IDEMPOTENCY_KEY_REUSED", "This key was used for another export.")
    return job.exports.select_for_update().filter(identity_key=key).first()
