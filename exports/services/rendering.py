"""Perform an export: render what was frozen, keep the bytes, then write the row and freeze its provenance."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Max
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
from jobs.models import Artifact, AuditEvent, Job
from jobs.services.audit import by_system, make_event, record_event, record_events
from jobs.services.transitions import lock_free_jobs, lock_job, move_job, save_jobs
from jobs.states import JobStatus

_RESULTS = (
    *("artifact_uri", "artifact_sha256", "artifact_size_bytes", "artifact_mime_type", "artifact_name"),
    *("manifest", "generated_at", "provenance_frozen_at", "last_audit_event"),
)
_MAX_NAME = 80  # characters of a file's name
# Names of devices, under which Windows stores no file, with an extension neither ("Naming Files", Microsoft Learn).
_RESERVED = re.compile("con|prn|aux|nul|(?:com|lpt)[0-9]")


class Begun(NamedTuple):
    """What an export was frozen from, and the URIs of its pictures by the asset's id."""

    document: Document
    uris: Mapping[UUID, str]


class Made(NamedTuple):
    """What was rendered, without its bytes, which are stored."""

    document: Document
    stored: Stored
    mime_type: str
    extension: str
    manifest: dict[str, Any]


def perform_export(export: Export, lease: Lease) -> None:
    """Render, keep the bytes under their SHA-256, then write the row."""
    with lease.hold(before=lambda: lock_job(export.job_id)) as job:
        _start([export], {job.pk: job})
    document = Document.from_json(export.snapshot)
    assets = _assets([document])
    _require_shown(document, assets)
    finish_export(export, lease, make_artifact(export, lease, _begun(document, assets)))


def start_exports(exports: Sequence[Export]) -> dict[Export, Begun]:
    """Write down that these begin; return what they are made of, but for those that show a picture that is concealed,
    those whose job is locked, and those that are held no longer."""
    documents = {export: Document.from_json(export.snapshot) for export in exports}
    assets = _assets(documents.values())
    shown = [export for export in exports if not _is_concealed(documents[export], assets)]
    with transaction.atomic():
        jobs = lock_free_jobs(export.job_id for export in shown)
        held = Export.held_of(export for export in shown if export.job_id in jobs)
        _start(held, jobs)
    return {export: _begun(documents[export], assets) for export in held}


def _start(exports: Sequence[Export], jobs: Mapping[UUID, Job]) -> None:
    for export in exports:
        export.last_audit_event = "EXPORT_STARTED"
    record_events(_event(export, jobs[export.job_id]) for export in exports)
    Export.objects.filter(pk__in=[export.pk for export in exports]).update(last_audit_event="EXPORT_STARTED")


def _begun(document: Document, assets: Mapping[UUID, tuple[str, bool]]) -> Begun:
    pictures = (parse_id(picture.asset_id) for picture in document.pictures)
    return Begun(document, {pk: assets[pk][0] for pk in pictures if pk in assets})


def make_artifact(export: Export, lease: Lease, begun: Begun) -> Made:
    """Render what was frozen and keep the bytes under their SHA-256; asks no database."""
    document = begun.document
    rendered = _render(export, document, begun.uris, lease)
    lease.check()
    content = sealed(rendered, format=export.format, key_id=document.key_id)
    stored = storage().save_bytes(kept_folder(export.job_id), content, suffix=rendered.extension)
    return Made(document, stored, rendered.mime_type, rendered.extension, rendered.manifest)


def finish_export(export: Export, lease: Lease, made: Made) -> None:
    """Write what was made."""
    with lease.hold(before=lambda: lock_job(export.job_id)) as job:
        _require_shown(made.document, _assets([made.document]))
        _finish([(export, made)], {job.pk: job})


def finish_exports(made: Sequence[tuple[Export, Made]]) -> list[Export]:
    """Write what was made of these; return them, but for those whose job is locked, whose claim has ended, or which
    fail now or move their job."""
    with transaction.atomic():
        jobs = lock_free_jobs(export.job_id for export, _ in made)
        held = Export.held_of(export for export, _ in made if export.job_id in jobs)
        assets = _assets([one.document for _, one in made])
        ready = [
            (export, one)
            for export, one in made
            if export in held
            and jobs[export.job_id].status != JobStatus.EXPORTING
            and not _is_concealed(one.document, assets)
        ]
        _finish(ready, jobs)
    return [export for export, _ in ready]


def _assets(documents: Iterable[Document]) -> dict[UUID, tuple[str, bool]]:
    """Return the URI of each picture of these documents by the asset's id, and whether a redaction conceals it now."""
    frozen = {picture.asset_id for document in documents for picture in document.pictures}
    found = Asset.objects.filter(pk__in=frozen).values_list("pk", "uri", "is_concealed") if frozen else ()
    return {pk: (uri, is_concealed) for pk, uri, is_concealed in found}


def _is_concealed(document: Document, assets: Mapping[UUID, tuple[str, bool]]) -> bool:
    found = (assets.get(UUID(picture.asset_id)) for picture in document.pictures)
    return any(asset and asset[1] for asset in found)


def _require_shown(document: Document, assets: Mapping[UUID, tuple[str, bool]]) -> None:
    """Raise WorkFailed when a redaction conceals a picture that was frozen into the export."""
    if _is_concealed(document, assets):
        raise WorkFailed(
            "PICTURE_REDACTED", "A picture of this guide was redacted since. Ask for the export again."
        )


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


def _finish(made: Sequence[tuple[Export, Made]], jobs: Mapping[UUID, Job]) -> None:
    """Write what was made; the first success of a job that is EXPORTING makes it DONE. All are locked."""
    newest = dict(
        Artifact.objects.filter(job__in=jobs, kind="export").values_list("job").annotate(Max("version"))
    )
    artifacts, noted, moved = [], [], set[UUID]()
    for export, one in made:
        job = jobs[export.job_id]
        _set_results(export, one)
        newest[job.pk] = newest.get(job.pk, 0) + 1
        artifacts.append(_artifact(job, newest[job.pk], one.stored))
        job.manifest = {**job.manifest, "exports": [*job.manifest.get("exports", []), one.stored.uri]}
        if job.status == JobStatus.EXPORTING:
            moved.add(job.pk)
            move_job(job, "finish_export", by=by_system(export.correlation_id), data=event_data(export))
        else:
            noted.append(_event(export, job))
    _keep_pixels(one for _, one in made)
    Artifact.objects.bulk_create(artifacts)
    save_jobs([jobs[pk] for pk in {export.job_id for export, _ in made} - moved], "manifest")
    record_events(noted)
    Export.close_all([export for export, _ in made], Export.SUCCEEDED, *_RESULTS)


def _set_results(export: Export, made: Made) -> None:
    export.artifact_uri = made.stored.uri
    export.artifact_sha256 = made.stored.sha256
    export.artifact_size_bytes = made.stored.size_bytes
    export.artifact_mime_type = made.mime_type
    export.artifact_name = artifact_name(made.document.title, made.extension)
    export.manifest = made.manifest
    export.generated_at = export.provenance_frozen_at = timezone.now()
    export.last_audit_event = "EXPORT_SUCCEEDED"


def _artifact(job: Job, version: int, stored: Stored) -> Artifact:
    return Artifact(
        job=job,
        kind="export",
        version=version,
        uri=stored.uri,
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
    )


def _keep_pixels(made: Iterable[Made]) -> None:
    """Write down what pictures show of which it was not known, so that no other export decodes them for that."""
    found: dict[str, str] = {}
    for one in made:
        unknown = {picture.asset_id for picture in one.document.pictures if not picture.pixels_sha256}
        found |= {
            entry["asset_id"]: entry["pixels_sha256"]
            for entry in one.manifest["pictures"]
            if entry["asset_id"] in unknown
        }
    Asset.objects.bulk_update(
        [Asset(pk=pk, pixels_sha256=pixels_sha256) for pk, pixels_sha256 in found.items()],
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


def _event(export: Export, job: Job) -> AuditEvent:
    """Return the event that the export notes as its last, not saved yet."""
    by = by_system(export.correlation_id)
    return make_event(job, export.last_audit_event, by=by, data=event_data(export))
