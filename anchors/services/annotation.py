"""Writes of annotations: draw on a picture of an anchor, and make the result the active one."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from anchors.models import Anchor, Asset
from anchors.redacting import hides_something
from anchors.render import MAX_PIXELS, OperationsInvalid, check_work, normalise_operations, ops_hash
from anchors.services.anchors import add_asset
from anchors.services.concealment import shown_in_place_of
from anchors.services.drawing import draw_on_asset
from config import sandbox
from config.accounts.models import User
from config.api import errors
from config.api.ownership import parse_id
from config.locks import media_place
from config.storage import Stored
from instructions.services.versions import open_document, require_document
from jobs.services.audit import by_editor, record_event
from jobs.services.quota import require_bytes
from jobs.services.transitions import lock_job


def annotate_anchor(
    *, anchor: Anchor, user: User, base_asset_id: object, operations: Any, idempotency_key: str | None = None
) -> dict[str, Any]:
    """Draw on a picture of the anchor and make the result active. Same base and operations: the same asset.

    Raises 400s, 507 when the owner's quota is used up, and 409 IDEMPOTENCY_KEY_REUSED for a key of this anchor that
    other operations were sent under.
    """
    base = _get_base(anchor, base_asset_id)
    operations = _checked(operations, base)
    digest = ops_hash(base_checksum=base.checksum_sha256, operations=operations)
    _refuse_other_use(anchor, idempotency_key, digest)
    if known := _annotated(anchor, digest):
        _use_key(anchor, idempotency_key, digest)
        return _annotation(anchor, base, known)
    require_document(base.job)  # before anything is drawn; looked at again under the lock
    require_bytes(base.job.owner_id)
    with media_place(user.pk):
        stored, size = _draw(base, operations)
    with transaction.atomic():
        job = lock_job(base.job_id)
        open_document(job, by=by_editor(user))
        if Asset.objects.filter(pk=base.pk, is_concealed=True).exists():
            raise errors.unavailable("The picture was redacted while it was drawn on.")
        _use_key(anchor, idempotency_key, digest)
        if known := _annotated(anchor, digest):
            return _annotation(anchor, base, known)
        asset = add_asset(
            base.job_id,
            anchor.pk,
            stored,
            kind=Asset.Kind.ANNOTATED,
            mime_type="image/png",
            size=size,
            ops_hash=digest,
            operations=operations,
            rendered_from=base,
            extracted_at_ms=base.extracted_at_ms,
            shown_until_ms=base.shown_until_ms,
            is_redacted=base.is_redacted or hides_something(operations),
        )
        record_event(job, "SCREENSHOT_ANNOTATED", by=by_editor(user), data={"asset_id": str(asset.pk)})
    anchor.active_asset = asset
    return _annotation(anchor, base, asset)


def _get_base(anchor: Anchor, raw_id: object) -> Asset:
    base = anchor.assets.filter(pk=parse_id(raw_id), is_deleted=False).first()
    if base is None:
        raise errors.invalid("base_asset_id", "The anchor has no such picture.", code="not_found")
    base = shown_in_place_of(base)
    if base.width * base.height > MAX_PIXELS:
        message = f"The picture has {base.width} x {base.height} pixels; {MAX_PIXELS:,} can be drawn on."
        raise errors.invalid("base_asset_id", message, code="too_large")
    return base


def _checked(operations: Any, base: Asset) -> list[dict[str, Any]]:
    """Return the operations in their normal form; raises a 400 for what cannot be drawn or is too much work."""
    try:
        normal = normalise_operations(operations)
        check_work(normal, (base.width, base.height))
    except OperationsInvalid as error:
        raise errors.validation_error(error.errors) from error
    return normal


def _draw(base: Asset, operations: list[dict[str, Any]]) -> tuple[Stored, tuple[int, int]]:
    try:
        return draw_on_asset(base, operations)
    except sandbox.SandboxError as error:
        if error.may_pass:
            raise errors.unavailable("The picture could not be drawn now.") from error
        raise errors.invalid("operations", error.message, code=error.code) from error


def _refuse_other_use(anchor: Anchor, key: str | None, digest: str) -> None:
    """Raise 409 when the key was used for other operations."""
    if (
        key is not None
        and anchor.annotation_requests.filter(idempotency_key=key).exclude(ops_hash=digest).exists()
    ):
        raise errors.conflict(
            "IDEMPOTENCY_KEY_REUSED",
            "This idempotency_key was used for other operations.",
            hint="Send a new key for a new annotation.",
        )


def _use_key(anchor: Anchor, key: str | None, digest: str) -> None:
    """Note what the key is used for; of two uses at once the second waits for the first. Raises 409."""
    if key is not None:
        anchor.annotation_requests.get_or_create(idempotency_key=key, defaults={"ops_hash": digest})
        _refuse_other_use(anchor, key, digest)


def _annotated(anchor: Anchor, digest: str) -> Asset | None:
    return anchor.assets.filter(ops_hash=digest, is_deleted=False, is_concealed=False).first()


def _annotation(anchor: Anchor, base: Asset, asset: Asset) -> dict[str, Any]:
    return {
        "anchor_id": anchor.pk,
        "base_asset_id": base.pk,
        "ops_hash": asset.ops_hash,
        "rendered_asset_id": asset.pk,
        "active_asset_id": anchor.active_asset_id,
    }
