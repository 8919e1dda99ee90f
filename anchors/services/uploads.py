"""Pictures that their owner uploads: a ticket, the picture once its bytes are looked at, and its place on an anchor."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from anchors.containers import PictureRefused
from anchors.inspection import Picture, inspect_picture
from anchors.models import Asset, ImageUpload
from anchors.services.anchors import add_asset
from config import sandbox
from config.accounts.models import User
from config.api import errors
from config.api.ownership import parse_id
from config.locks import media_place
from config.storage import TooLarge, kept_folder, pictures_folder, read_bytes, storage
from instructions.services.versions import open_document, require_document
from jobs.models import Job
from jobs.services.audit import by_editor, record_event
from jobs.services.quota import require_bytes
from jobs.services.tickets import (
    answer_of_ticket,
    close_oldest,
    close_tickets,
    expired,
    fields_of_ticket,
    not_received,
)
from jobs.services.transitions import lock_job

MAX_BYTES = 10 * 2**20
MAX_OPEN_UPLOADS = 20  # of one job: a guide's pictures are uploaded side by side
SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}


def upload_screenshot(
    *, job: Job, user: User, filename: str, mime_type: str, size_bytes: int, checksum_sha256: str
) -> dict[str, Any]:
    """Return a ticket for the upload of one picture of a document.

    The oldest open ticket of the job is closed when there would be over `MAX_OPEN_UPLOADS`. Raise the 409 of
    `open_document`, and 507 when it would take the owner over the quota.
    """
    with transaction.atomic():
        # The owner's row too, so that of tickets asked for at once each counts the others.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        job = lock_job(job.pk)
        open_document(job, by=by_editor(user))
        close_oldest(job.image_uploads.filter(closed_at=None), keep=MAX_OPEN_UPLOADS - 1)
        require_bytes(job.owner_id, size_bytes)
        upload = ImageUpload.objects.create(
            job=job,
            filename=filename,
            mime_type=mime_type,
            size_bytes=size_bytes,
            checksum_sha256=checksum_sha256,
            **fields_of_ticket(pictures_folder(job.pk)),
        )
        data = {"upload_id": str(upload.pk), "size_bytes": size_bytes}
        record_event(job, "SCREENSHOT_UPLOAD_STARTED", by=by_editor(user), data=data)
    request = storage().upload(
        upload.key,
        size=size_bytes,
        mime_type=mime_type,
        seconds=settings.UPLOAD_URL_SECONDS,
        sha256=checksum_sha256,
    )
    return {
        "upload_id": upload.pk,
        **answer_of_ticket(upload, request),
        "max_size_bytes": MAX_BYTES,
        "allowed_mime_types": list(SUFFIXES),
    }


def confirm_screenshot_upload(*, job: Job, user: User, upload_id: str, declared: Mapping[str, Any]) -> Asset:
    """Take the uploaded picture as one of the job's, without an anchor; asked again, return the same.

    What its stored bytes are (size, SHA-256, type, width and height in pixels) must be what the ticket and `declared`
    say. Raise 404, 400 UPLOAD_VERIFICATION_FAILED, 409 for a ticket that nothing came with or that is over, and the
    409 of `open_document`.
    """
    upload = job.image_uploads.filter(pk=parse_id(upload_id)).first()
    if upload is None:
        raise errors.not_found()
    if asset := first_asset(upload):
        _require_same(_differences(_facts_of(asset), "confirmation", declared))
        return asset
    require_document(job)
    with media_place(user.pk):
        try:
            content = _read(upload)
        except errors.ApiError:
            if asset := first_asset(upload):  # another call has confirmed it, and its file is gone
                return asset
            raise
        picture = _inspect(upload, content, declared)
        stored = storage().save_bytes(kept_folder(job.pk), content, suffix=SUFFIXES[picture.mime_type])
    with transaction.atomic():
        job = lock_job(job.pk)
        if asset := first_asset(upload):
            return asset
        open_document(job, by=by_editor(user))
        if ImageUpload.objects.get(pk=upload.pk).closed_at:
            raise expired()
        about: dict[str, Any] = {
            "kind": Asset.Kind.UPLOADED,
            "mime_type": picture.mime_type,
            "upload": upload,
        }
        asset = add_asset(job.pk, None, stored, size=(picture.width, picture.height), **about)
        close_tickets(job.image_uploads.filter(pk=upload.pk))
        data = {"upload_id": str(upload.pk), "asset_id": str(asset.pk)}
        record_event(job, "SCREENSHOT_UPLOADED", by=by_editor(user), data=data)
    return asset


def first_asset(upload: ImageUpload) -> Asset | None:
    """Return the picture that an upload was confirmed as."""
    return upload.assets.order_by("pk").first()


def _read(upload: ImageUpload) -> bytes:
    """Return the bytes that came with a ticket."""
    if upload.refusal_code:
        raise _refused([_about_file(upload.refusal_code, upload.refusal_message)])
    if upload.closed_at:
        raise expired()
    uri = storage().uri(upload.key)
    try:
        return read_bytes(uri, limit=upload.size_bytes)
    except TooLarge as error:
        size = {"size_bytes": storage().size(uri)}
        raise _refused(list(_differences(size, "ticket", {"size_bytes": upload.size_bytes}))) from error
    except FileNotFoundError as error:
        raise (expired() if upload.expires_at <= timezone.now() else not_received()) from error


def _inspect(upload: ImageUpload, content: bytes, declared: Mapping[str, Any]) -> Picture:
    """Return what the bytes are, if that is what was declared. Others than those of the ticket are not decoded."""
    ticket = {name: getattr(upload, name) for name in ("size_bytes", "checksum_sha256", "mime_type")}
    found: dict[str, Any] = {
        "size_bytes": len(content),
        "checksum_sha256": hashlib.sha256(content).hexdigest(),
    }
    if differences := list(_differences(found, "ticket", ticket)):
        raise _refused(differences + list(_differences(found, "confirmation", declared)))
    try:
        picture = sandbox.call(
            inspect_picture,
            content,
            limits=sandbox.limits.PICTURE,
            returns=(Picture,),
            raises=(PictureRefused,),
        )
    except PictureRefused as error:
        raise _refuse_for_good(upload, error.code, str(error)) from error
    except sandbox.SandboxError as error:
        if error.may_pass:
            raise errors.unavailable("The picture could not be looked at now.") from error
        raise _refuse_for_good(upload, error.code, error.message) from error
    found |= vars(picture)
    _require_same([*_differences(found, "ticket", ticket), *_differences(found, "confirmation", declared)])
    return picture


def _refuse_for_good(upload: ImageUpload, code: str, message: str) -> errors.ApiError:
    """Close the ticket, which takes no other bytes than these, and return the 400."""
    with transaction.atomic():
        lock_job(upload.job_id)
        open_ones = ImageUpload.objects.filter(pk=upload.pk, closed_at=None)
        close_tickets(open_ones, refusal_code=code, refusal_message=message)
    return _refused([_about_file(code, message)])


def _facts_of(asset: Asset) -> dict[str, Any]:
    names = ("size_bytes", "checksum_sha256", "mime_type", "width", "height")
    return {name: getattr(asset, name) for name in names}


def _differences(
    found: Mapping[str, Any], where: str, declared: Mapping[str, Any]
) -> Iterator[dict[str, str]]:
    """Yield a mismatch for each fact that is declared otherwise; `where` that is: the ticket, or the confirmation."""
    for name, value in found.items():
        if name in declared and declared[name] != value:
            message = f"The stored file has {value}; the {where} says {declared[name]}."
            yield {"field": name, "code": f"differs_from_{where}", "message": message}


def _about_file(code: str, message: str) -> dict[str, str]:
    return {"field": "upload_id", "code": code, "message": message}


def _require_same(mismatches: Any) -> None:
    if found := list(mismatches):
        raise _refused(found)


def _refused(mismatches: list[dict[str, str]]) -> errors.ApiError:
    return errors.ApiError(
        400,
        "UPLOAD_VERIFICATION_FAILED",
        mismatches[0]["message"],
        details={"mismatches": mismatches},
        hint="Upload a PNG, JPEG or WebP file, and declare what it is.",
    )
