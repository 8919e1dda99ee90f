"""Perform an export: render what was frozen, keep the bytes, then write the row and freeze its provenance."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from anchors.models import Asset
from config import sandbox
from config.api.ownership import parse_id
from config.storage import Stored, kept_folder, storage
from config.work.lease import Lease
from config.work.models import WorkFailed
from exports.models import Export
from exports.renderers import Rendered, RenderedFile, RenderFailed, render_files
from exports.services.job_hooks import close_failed, event_data
from exports.services.sealing import sealed
from exports.snapshot import AssetMissing, Document
from jobs.models import Artifact, Job
from jobs.services.artifacts import newest_artifact
from jobs.services.audit import by_system, record_event
from jobs.services.transitions import lock_job, move_job, save_job
from jobs.states import JobStatus

_MAX_NAME = 80  # characters of a file's name
# Names of devices, under which Windows stores no file, with an extension neither ("Naming Files", Microsoft Learn).
_RESERVED = re.compile("con|prn|aux|nul|(?:com|lpt)[0-9]")


def perform_export(export: Export, lease: Lease) -> None:
    """Render, keep the bytes under their SHA-256, then write the row."""
    with lease.hold(before=lambda: lock_job(export.job_id)) as job:
        _note(export, job, "EXPORT_STARTED")
        export.save(update_fields=["last_audit_event"])
    document = Document.from_json(export.snapshot)
    uris = _require_shown(document)
    rendered = _render(export, document, uris, lease)
    lease.check()
    content = sealed(rendered, format=export.format, key_id=document.key_id)
    stored = storage().save_bytes(kept_folder(export.job_id), content, suffix=rendered.extension)
    with lease.hold(before=lambda: lock_job(export.job_id)) as job:
        _require_shown(document)
        _finish_export(export, job, document, rendered, stored)


def _require_shown(document: Document) -> dict[UUID, str]:
    """Return the URIs of the document's pictures by asset id; raise WorkFailed when a redaction conceals one of them
    that was frozen into the export."""
    frozen = [picture.asset_id for picture in document.pictures]
    found = Asset.objects.filter(pk__in=frozen).values_list("pk", "uri", "is_concealed") if frozen else ()
    if any(is_concealed for _, _, is_concealed in found):
        raise WorkFailed(
            "PICTURE_REDACTED", "A picture of this guide was redacted since. Ask for the export again."
        )
    return {pk: uri for pk, uri, _ in found}


def render_document(
    format: str, document: Document, uris: Mapping[UUID, str], *, check: Callable[[], object]
) -> Rendered:
    """Return the document in this format, rendered in a child process; `uris` has those of its pictures by asset id.

    Asks no database. Raise AssetMissing or FileNotFoundError for a missing picture, RenderFailed, SandboxError, and
    what `check` raises, which is called meanwhile.
    """
    with contextlib.ExitStack() as files:
        pictures = {
            picture.asset_id: files.enter_context(storage().local_path(uris[asset_id]))
            for picture in document.pictures
            if (asset_id := parse_id(picture.asset_id)) in uris
        }
        return sandbox.call(
            render_files,
            format,
            document,
            pictures,
            limits=sandbox.limits.EXPORT,
            returns=(Rendered, RenderedFile),
            raises=(AssetMissing, RenderFailed),
            check=check,
        )


def _render(export: Export, document: Document, uris: Mapping[UUID, str], lease: Lease) -> Rendered:
    try:
        return render_document(export.format, document, uris, check=lease.check)
    except (AssetMissing, FileNotFoundError) as error:
        raise WorkFailed("ASSET_MISSING", "A picture of this guide is missing from the storage.") from error
    except RenderFailed as error:
        raise WorkFailed("RENDER_FAILED", str(error)) from error


def artifact_name(title: str, extension: str) -> str:
    """Return the name under which a guide of this title is downloaded."""
    name = slugify(title)[:_MAX_NAME].strip("-_") or "guide"
    return (f"guide-{name}" if _RESERVED.fullmatch(name) else name) + extension


def _finish_export(export: Export, job: Job, document: Document, rendered: Rendered, stored: Stored) -> None:
    """Write what was rendered; the first success of a job that is EXPORTING makes it DONE. Both are locked."""
    written = {
        "artifact_uri": stored.uri,
        "artifact_sha256": stored.sha256,
        "artifact_size_bytes": stored.size_bytes,
        "artifact_mime_type": rendered.mime_type,
        "artifact_name": artifact_name(document.title, rendered.extension),
        "manifest": rendered.manifest,
    }
    for name, value in written.items():
        setattr(export, name, value)
    _keep_pixels(document, rendered)
    export.generated_at = export.provenance_frozen_at = timezone.now()
    earlier = newest_artifact(job, "export")
    Artifact.objects.create(
        job=job,
        kind="export",
        version=earlier.version + 1 if earlier else 1,
        uri=stored.uri,
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
    )
    job.manifest = {**job.manifest, "exports": [*job.manifest.get("exports", []), stored.uri]}
    if job.status == JobStatus.EXPORTING:
        export.last_audit_event = "EXPORT_SUCCEEDED"
        move_job(job, "finish_export", by=by_system(export.correlation_id), data=event_data(export))
    else:
        save_job(job, "manifest")
        _note(export, job, "EXPORT_SUCCEEDED")
    frozen = ("generated_at", "provenance_frozen_at", "last_audit_event")
    export.close(Export.SUCCEEDED, *written, *frozen)


def _keep_pixels(document: Document, rendered: Rendered) -> None:
    """Write down what pictures show of which it was not known, so that no other export decodes them for that."""
    unknown = {picture.asset_id for picture in document.pictures if not picture.pixels_sha256}
    found = [entry for entry in rendered.manifest["pictures"] if entry["asset_id"] in unknown]
    Asset.objects.bulk_update(
        [Asset(pk=entry["asset_id"], pixels_sha256=entry["pixels_sha256"]) for entry in found],
        ["pixels_sha256"],
    )


def fail_export(export: Export, failure: WorkFailed, *, lease: Lease) -> None:
    """Write the failure down; the last running export that fails takes the job back to EDITING."""
    with transaction.atomic():
        job = lock_job(export.job_id)
        lease.verify()
        close_failed(export, failure)
        others = job.exports.filter(status__in=Export.ACTIVE).exclude(pk=export.pk)
        data = {**event_data(export), "failure_code": failure.code}
        if job.status == JobStatus.EXPORTING and not others.exists():
            move_job(job, "fail_export", by=by_system(export.correlation_id), data=data)
        else:
            record_event(job, "EXPORT_FAILED", by=by_system(export.correlation_id), data=data)


def _note(export: Export, job: Job, event_type: str) -> None:
    export.last_audit_event = event_type
    record_event(job, event_type, by=by_system(export.correlation_id), data=event_data(export))
