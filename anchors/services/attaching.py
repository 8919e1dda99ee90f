"""Put a picture that was uploaded on an anchor."""

from __future__ import annotations

from django.db import transaction

from anchors.models import Anchor, Asset, ImageUpload
from anchors.services.anchors import add_asset, get_version, place_asset
from anchors.services.uploads import first_asset
from config.accounts.models import User
from config.api import errors
from config.api.ownership import parse_id
from config.storage import Stored
from instructions.models import InstructionVersion
from instructions.services.versions import open_document
from jobs.services.audit import by_editor, record_event
from jobs.services.quota import require_bytes
from jobs.services.transitions import lock_job


def attach_upload(
    *,
    anchor: Anchor,
    user: User,
    upload_id: object,
    instruction_version_id: object,
    idempotency_key: str | None = None,
) -> Anchor:
    """Make an uploaded picture the next version of the anchor, and its active one. Asked again nothing is changed.

    Raise 404 for an upload of another job and one that is not confirmed, 400 for a version of another document, the
    409 of `open_document`, 507 when the owner's quota is used up, and 409 IDEMPOTENCY_KEY_REUSED for a key of this
    anchor that was used for another upload or version.
    """
    version = get_version(anchor.instruction, instruction_version_id)
    job_id = anchor.instruction.job_id
    upload = ImageUpload.objects.filter(job_id=job_id, pk=parse_id(upload_id)).first()
    if upload is None:
        raise errors.not_found()
    with transaction.atomic():
        job = lock_job(job_id)
        first = first_asset(upload)
        if first is None:
            raise errors.not_found()
        is_new = _use_key(anchor, idempotency_key, upload, version)
        if is_new and not anchor.assets.filter(upload=upload, is_deleted=False).exists():
            open_document(job, by=by_editor(user))
            asset = _attach(anchor, upload, first)
            data = {"upload_id": str(upload.pk), "asset_id": str(asset.pk)}
            record_event(job, "SCREENSHOT_ATTACHED", by=by_editor(user), data=data)
    return Anchor.objects.get(pk=anchor.pk)


def _attach(anchor: Anchor, upload: ImageUpload, first: Asset) -> Asset:
    """Put the picture that was confirmed on its first anchor; on others go further rows with its bytes."""
    if first.anchor_id is None:
        place_asset(first, anchor.pk)
        return first
    require_bytes(first.job.owner_id, first.size_bytes)
    return add_asset(
        first.job_id,
        anchor.pk,
        Stored(first.uri, first.checksum_sha256, first.size_bytes),
        size=(first.width, first.height),
        kind=Asset.Kind.UPLOADED,
        mime_type=first.mime_type,
        upload=upload,
    )


def _use_key(anchor: Anchor, key: str | None, upload: ImageUpload, version: InstructionVersion) -> bool:
    """Note what the key is used for, of an anchor whose job is locked; return whether that is new. Raise 409."""
    if key is None:
        return True
    wanted = {"upload": upload, "instruction_version": version}
    used, is_new = anchor.attach_requests.get_or_create(idempotency_key=key, defaults=wanted)
    if (used.upload_id, used.instruction_version_id) != (upload.pk, version.pk):
        raise errors.conflict(
            "IDEMPOTENCY_KEY_REUSED",
            "This idempotency_key was used for another picture.",
            hint="Send a new key for another picture.",
        )
    return is_new
