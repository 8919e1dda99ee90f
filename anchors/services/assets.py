"""Pictures of an anchor: taken away, and the one that is active then."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from anchors.models import Anchor
from config.accounts.models import User
from config.api import errors
from config.api.ownership import parse_id
from instructions.services.versions import open_document
from jobs.services.audit import by_editor, record_event
from jobs.services.transitions import lock_job


def delete_asset(*, anchor: Anchor, user: User, asset_id: str) -> dict[str, object]:
    """Delete a picture of an anchor; of the active one, the newest that is left takes the place, or none.

    Its row and its bytes stay, for the exports that were made with it. An original and its redacted renderings go
    together. Raises 404 for a picture that is not the anchor's or is deleted already, and the 409 of `open_document`.
    """
    with transaction.atomic():
        job = lock_job(anchor.instruction.job_id)
        anchor = Anchor.objects.select_for_update().get(pk=anchor.pk)
        left = anchor.assets.filter(is_deleted=False)
        asset = left.filter(pk=parse_id(asset_id)).first()
        if asset is None:
            raise errors.not_found()
        open_document(job, by=by_editor(user))
        original = asset.redacts_id or asset.pk
        left.filter(Q(pk=original) | Q(redacts=original)).update(is_deleted=True)
        if anchor.active_asset_id and not left.filter(pk=anchor.active_asset_id).exists():
            # Of those that are concealed, one whose rendering is still to be drawn.
            by_age = left.annotate(original_version=Coalesce("redacts__version", "version"))
            anchor.active_asset = by_age.order_by("is_concealed", "-original_version").first()
        anchor.updated_at = timezone.now()
        anchor.save(update_fields=["active_asset", "updated_at"])
        record_event(job, "SCREENSHOT_DELETED", by=by_editor(user), data={"asset_id": asset_id})
    is_concealed = anchor.active_asset is not None and anchor.active_asset.is_concealed
    return {
        "anchor_id": anchor.pk,
        "deleted_asset_id": asset_id,
        "active_asset_id": None if is_concealed else anchor.active_asset_id,
    }
