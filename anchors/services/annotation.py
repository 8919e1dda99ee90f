"""Writes of annotations: draw on a picture of an anchor, and make the result the active one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from django.db import transaction

from anchors.models import Anchor, Asset
from anchors.redacting import hides_something
from anchors.render import (
    MAX_PIXELS,
    ImageUnreadable,
    OperationsInvalid,
    check_work,
    normalise_operations,
    ops_hash,
)
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


@dataclass(frozen=True)
class Annotation:
    """What is to be drawn: operations in their normal form, on a picture of an anchor. `digest` is their `ops_hash`."""

    anchor: Anchor
    base: Asset
    operations: list[dict[str, Any]]
    digest: str

    @classmethod
    def asked(cls, anchor: Anchor, base_asset_id: object, operations: Any) -> Self:
        """Return what a request asks for. Raises a 400 for what cannot be drawn or is too much work."""
        base = _get_base(anchor, base_asset_id)
        return cls.of(anchor, base, _checked(operations, base))

    @classmethod
    def of(cls, anchor: Anchor, base: Asset, operations: list[dict[str, Any]]) -> Self:
        digest = ops_hash(base_checksum=base.checksum_sha256, operations=operations)
        return cls(anchor, base, operations, digest)

    def rendered(self) -> Asset | None:
        """Return the picture, if it was drawn before and is not deleted. It is concealed where its base is."""
        drawn = self.anchor.assets.filter(rendered_from=self.base, ops_hash=self.digest, is_deleted=False)
        return drawn.order_by("is_concealed", "pk").first()

    def keep(self, stored: Stored, size: tuple[int, int]) -> Asset:
        """Make the picture that was drawn the anchor's active one, and return it. The caller holds the job's lock.

        It is concealed if its base has been since it was read.
        """
        return add_asset(
            self.base.job_id,
            self.anchor.pk,
            stored,
            kind=Asset.Kind.ANNOTATED,
            mime_type="image/png",
            size=size,
            ops_hash=self.digest,
            operations=self.operations,
            rendered_from=self.base,
            extracted_at_ms=self.base.extracted_at_ms,
            shown_until_ms=self.base.shown_until_ms,
            is_redacted=self.base.is_redacted or hides_something(self.operations),
            is_concealed=self.is_on_concealed(),
        )

    def is_on_concealed(self) -> bool:
        """Return whether a redaction conceals the base by now."""
        return Asset.objects.filter(pk=self.base.pk, is_concealed=True).exists()

    def refuse_other_use(self, key: str | None) -> None:
        """Raise 409 when the key was used for other operations."""
        if key is None:
            return
        uses = self.anchor.annotation_requests.filter(idempotency_key=key)
        if uses.exclude(ops_hash=self.digest).exists():
            raise errors.conflict(
                "IDEMPOTENCY_KEY_REUSED",
                "This idempotency_key was used for other operations.",
                hint="Send a new key for a new annotation.",
            )

    def use_key(self, key: str | None) -> None:
        """Note what the key is used for; of two uses at once the second waits for the first. Raises 409."""
        if key is not None:
            self.anchor.annotation_requests.get_or_create(
                idempotency_key=key, defaults={"ops_hash": self.digest}
            )
            self.refuse_other_use(key)


def annotate_anchor(
    *, anchor: Anchor, user: User, base_asset_id: object, operations: Any, idempotency_key: str | None = None
) -> dict[str, Any]:
    """Draw on a picture of the anchor and make the result active. Same base and operations: the same asset.

    Raises 400s, 507 when the owner's quota is used up, and 409 IDEMPOTENCY_KEY_REUSED for a key of this anchor that
    other operations were sent under.
    """
    wanted = Annotation.asked(anchor, base_asset_id, operations)
    wanted.refuse_other_use(idempotency_key)
    if known := wanted.rendered():
        wanted.use_key(idempotency_key)
        return _result(wanted, known)
    job = wanted.base.job
    require_document(job)  # before anything is drawn; looked at again under the lock
    require_bytes(job.owner_id)
    with media_place(user.pk):
        drawn = _draw(wanted)
    with transaction.atomic():
        job = lock_job(job.pk)
        open_document(job, by=by_editor(user))
        if wanted.is_on_concealed():
            raise errors.unavailable("The picture was redacted while it was drawn on.")
        wanted.use_key(idempotency_key)
        if known := wanted.rendered():
            return _result(wanted, known)
        asset = wanted.keep(*drawn)
        record_event(job, "SCREENSHOT_ANNOTATED", by=by_editor(user), data={"asset_id": str(asset.pk)})
    anchor.active_asset = asset
    return _result(wanted, asset)


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
    try:
        normal = normalise_operations(operations)
        check_work(normal, (base.width, base.height))
    except OperationsInvalid as error:
        raise errors.validation_error(error.errors) from error
    return normal


def _draw(wanted: Annotation) -> tuple[Stored, tuple[int, int]]:
    try:
        return draw_on_asset(wanted.base, wanted.operations)
    except ImageUnreadable as error:
        raise errors.invalid("base_asset_id", str(error), code="unreadable") from error
    except sandbox.SandboxError as error:
        if error.may_pass:
            raise errors.unavailable("The picture could not be drawn now.") from error
        raise errors.invalid("operations", error.message, code=error.code) from error


def _result(wanted: Annotation, asset: Asset) -> dict[str, Any]:
    return {
        "anchor_id": wanted.anchor.pk,
        "base_asset_id": wanted.base.pk,
        "ops_hash": asset.ops_hash,
        "rendered_asset_id": asset.pk,
        "active_asset_id": wanted.anchor.active_asset_id,
    }
