"""Writes of exports: ask for one (pictures are frozen then), render it, freeze what it was made of."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from uuid6 import uuid7

from anchors.models import Anchor, Asset
from anchors.resolve import resolve
from anchors.services import MAX_PICTURE_BYTES
from config.api import errors, request_id
from config.api.ownership import parse_id
from config.api.storage import kept_folder, read_bytes, storage
from exports import identity
from exports.models import Export
from exports.renderers import RENDERERS, RenderFailed
from exports.renderers.manifest import build_manifest
from exports.snapshot import AssetMissing, Document, Picture
from instructions.blocks import Block, parse_blocks
from instructions.models import InstructionVersion
from instructions.services import open_document
from jobs.models import Artifact, Job, User
from jobs.services.transitions import (
    SYSTEM,
    By,
    by_editor,
    lock_job,
    move_job,
    record_event,
    save_job,
    transition_refused,
)
from jobs.stages import newest
from jobs.states import JobStatus
from jobs.work import Lease, WorkFailed

ACTIVE = [Export.WAITING, Export.RUNNING]
ALLOWED = (JobStatus.EDITING, JobStatus.EXPORTING, JobStatus.DONE)


def request_export(
    *, job: Job, user: User, format: str, instruction_version_id: object, idempotency_key: str | None
) -> tuple[Export, bool]:
    """An export of one version; answers (export, replayed). The same identity is the same export."""
    version = (
        InstructionVersion.objects.select_related("instruction")
        .filter(instruction__job=job, pk=parse_id(instruction_version_id))
        .first()
    )
    if format not in RENDERERS or version is None:
        raise errors.ApiError(
            400,
            "EXPORT_REQUEST_INVALID",
            "The format is unknown, or the version is not one of this job's instruction.",
            hint=f"Formats: {', '.join(RENDERERS)}. Versions: GET /instructions/{{instructionId}}/versions.",
        )
    with transaction.atomic():
        job = lock_job(job.pk)
        open_document(job, by=by_editor(user))
        if job.status not in ALLOWED:
            raise transition_refused(job, attempted=JobStatus.EXPORTING)
        document = _freeze(job, version)
        renderer_version = identity.renderer_version(format)
        set_hash = identity.screenshot_set_hash(document.pictures)
        key = identity.identity_key(
            instruction_version_id=str(version.pk),
            format=format,
            screenshot_set_hash=set_hash,
            renderer_version=renderer_version,
        )
        known = _known_export(job, key, idempotency_key)
        if known and known.status != Export.FAILED:
            return known, True
        if known:
            known.reopen()
        else:
            known = Export.objects.create(
                job=job,
                status=Export.WAITING,
                instruction_version=version,
                format=format,
                identity_key=key,
                screenshot_set_hash=set_hash,
                renderer_version=renderer_version,
                instruction_snapshot_id=uuid7(),
                snapshot=document.to_json(),
                idempotency_key=idempotency_key,
                correlation_id=request_id.current(),
            )
            known.ring()
        data = {"export_id": str(known.pk), "format": format}
        if job.status == JobStatus.EDITING:
            move_job(job, "export", by=by_editor(user), data=data)
        else:
            record_event(job, "EXPORT_REQUESTED", by=by_editor(user), data=data)
    return known, False


def _known_export(job: Job, key: str, idempotency_key: str | None) -> Export | None:
    if idempotency_key:
        earlier = job.exports.filter(idempotency_key=idempotency_key).first()
        if earlier and earlier.identity_key != key:
            raise errors.conflict("IDEMPOTENCY_KEY_REUSED", "This key was used for another export.")
    return job.exports.select_for_update().filter(identity_key=key).first()


def _freeze(job: Job, version: InstructionVersion) -> Document:
    """The version's text with the active picture of every anchor, resolved into that version."""
    blocks = parse_blocks(version.markdown)
    anchors = (
        Anchor.objects.filter(instruction=version.instruction, active_asset__isnull=False)
        .select_related("active_asset", "instruction_version")
        .order_by("pk")
    )
    active = [(anchor, anchor.active_asset) for anchor in anchors if anchor.active_asset]
    pictures = [_picture(anchor, asset, _resolved_block(anchor, version, blocks)) for anchor, asset in active]
    heading = next((block.title for block in blocks if block.kind == "heading" and block.title), None)
    return Document(
        job_id=str(job.pk),
        instruction_id=str(version.instruction_id),
        instruction_version_id=str(version.pk),
        version=version.version,
        title=heading or job.options.get("title") or "Guide",
        language=job.options.get("language") or "en",
        markdown=version.markdown,
        pictures=tuple(pictures),
        video_sha256=newest(job, "video").sha256,
        provenance={
            "instruction_version_id": str(version.pk),
            "anchors": [
                {
                    "anchor_id": str(anchor.pk),
                    "active_asset_id": str(asset.pk),
                    "rendered_asset_id": str(asset.pk) if asset.kind == Asset.Kind.ANNOTATED else None,
                }
                for anchor, asset in active
            ],
            "model_profile_id": version.model_profile_id,
            "prompt_template_id": version.prompt_template_id,
            "prompt_params_ref": version.prompt_params_ref or None,
        },
    )


def _resolved_block(anchor: Anchor, version: InstructionVersion, blocks: list[Block]) -> Block | None:
    """The block of the version that the anchor's picture stands at; None when it resolves to none."""
    if anchor.instruction_version_id == version.pk:
        address = anchor.addressing
    else:
        found = resolve(
            anchor.addressing, source=anchor.instruction_version.markdown, target=version.markdown
        )
        if found.addressing is None:
            return None
        address = found.addressing
    if "block_id" in address:
        return next((block for block in blocks if block.block_id == address["block_id"]), None)
    start = address["char_range"]["start_offset"]
    inside = [block for block in blocks if block.start_offset <= start < block.end_offset]
    return min(inside, key=lambda block: block.end_offset - block.start_offset, default=None)


def _picture(anchor: Anchor, asset: Asset, block: Block | None) -> Picture:
    return Picture(
        anchor_id=str(anchor.pk),
        asset_id=str(asset.pk),
        block_id=block.block_id if block else None,
        sha256=asset.checksum_sha256,
        mime_type=asset.mime_type,
        width=asset.width,
        height=asset.height,
        extracted_at_ms=asset.extracted_at_ms,
        alt=f"Screenshot: {block.title}" if block and block.title else "Screenshot",
    )


def perform_export(export: Export, lease: Lease) -> None:
    """Render, keep the bytes under their SHA-256, then write the row and freeze it."""
    with lease.hold(before=lambda: lock_job(export.job_id)):
        _note(export, "EXPORT_STARTED")
        export.save(update_fields=["last_audit_event"])
    document = Document.from_json(export.snapshot)
    uris = dict(Asset.objects.filter(job=export.job_id).values_list("pk", "uri"))

    def read_picture(picture: Picture) -> bytes:
        lease.check()
        try:
            return read_bytes(uris[parse_id(picture.asset_id)], limit=MAX_PICTURE_BYTES)
        except (KeyError, FileNotFoundError) as error:
            raise AssetMissing(picture.asset_id) from error

    try:
        rendered = RENDERERS[export.format].render(document, read_picture)
    except AssetMissing as error:
        raise WorkFailed("ASSET_MISSING", "A picture of this guide is missing from the storage.") from error
    except RenderFailed as error:
        raise WorkFailed("RENDER_FAILED", str(error)) from error
    lease.check()
    stored = storage().save_bytes(kept_folder(export.job_id), rendered.content, suffix=rendered.extension)
    with lease.hold(before=lambda: lock_job(export.job_id)):
        job = lock_job(export.job_id)
        now = timezone.now()
        export.generated_at = export.provenance_frozen_at = now
        export.artifact_uri, export.artifact_sha256 = stored.uri, stored.sha256
        export.artifact_size_bytes, export.artifact_mime_type = stored.size_bytes, rendered.mime_type
        export.artifact_name = (slugify(document.title)[:80] or "guide") + rendered.extension
        export.manifest = build_manifest(document, format=export.format, files=rendered.files)
        job.manifest = {**job.manifest, "exports": [*job.manifest.get("exports", []), stored.uri]}
        Artifact.objects.create(
            job=job, kind="export", version=job.artifacts.filter(kind="export").count() + 1, uri=stored.uri,
            sha256=stored.sha256, size_bytes=stored.size_bytes,
        )  # fmt: skip
        data = {"export_id": str(export.pk), "attempt": export.attempt}
        if job.status == JobStatus.EXPORTING:
            export.last_audit_event = "EXPORT_SUCCEEDED"
            move_job(job, "finish_export", by=_system(export), data=data)
        else:
            save_job(job, "manifest")
            _note(export, "EXPORT_SUCCEEDED")
        export.close(
            Export.SUCCEEDED,
            "generated_at", "provenance_frozen_at", "artifact_uri", "artifact_sha256", "artifact_size_bytes",
            "artifact_mime_type", "artifact_name", "manifest", "last_audit_event",
        )  # fmt: skip


def fail_export(export: Export, failure: WorkFailed, *, lease: Lease | None) -> None:
    """Write the failure down; the last running export that fails takes the job back to EDITING."""
    with transaction.atomic():
        job = lock_job(export.job_id)
        if lease:
            lease.verify()
        _close_failed(export, failure)
        others = job.exports.filter(status__in=ACTIVE).exclude(pk=export.pk)
        data = {"export_id": str(export.pk), "attempt": export.attempt, "failure_code": failure.code}
        if job.status == JobStatus.EXPORTING and not others.exists():
            move_job(job, "fail_export", by=_system(export), data=data)
        else:
            record_event(job, "EXPORT_FAILED", by=_system(export), data=data)


def delete_exports(job: Job) -> None:
    """Part of deleting a job: its exports hold its versions and go first."""
    Export.objects.filter(job=job).delete()


def end_exports(job: Job) -> None:
    """Fail what is active of a job that has ended; registered as *job_ended*."""
    failure = WorkFailed("JOB_CANCELLED", "The job has ended.")
    for export in job.exports.select_for_update().filter(status__in=ACTIVE):
        _close_failed(export, failure)
        data = {"export_id": str(export.pk), "attempt": export.attempt, "failure_code": failure.code}
        record_event(job, "EXPORT_FAILED", by=_system(export), data=data)


def _close_failed(export: Export, failure: WorkFailed) -> None:
    export.last_audit_event = "EXPORT_FAILED"
    export.close(Export.FAILED, "last_audit_event", failure=failure)


def _note(export: Export, event_type: str) -> None:
    export.last_audit_event = event_type
    data: dict[str, Any] = {"export_id": str(export.pk), "attempt": export.attempt}
    record_event(export.job, event_type, by=_system(export), data=data)


def _system(export: Export) -> By:
    return By(SYSTEM.actor, correlation_id=export.correlation_id)
