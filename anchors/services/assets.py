"""Pictures of an anchor: taken away, and the one that is active then."""

from __future__ import annotations

from django.db import transaction
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

    Its row and its bytes stay, for the exports that were made with it. Raises 404 for a picture that is not the
    anchor's or is deleted already, and the 409 of `open_document`.
    """
    with transaction.atomic():
        job = lock_job(anchor.instruction.job_id)
        anchor = Anchor.objects.select_for_update().get(pk=anchor.pk)
        left = anchor.assets.filter(is_deleted=False)
        if not left.filter(pk=parse_id(asset_id)).update(is_deleted=True):
            raise errors.not_found()
        open_document(job, by=by_editor(user))
        if str(anchor.active_asset_id) == asset_id:
            anchor.active_asset = left.order_by("-version").first()
        anchor.updated_at = timezone.now()
        anchor.save(update_fields=["active_asset", "updated_at"])
        record_event(job, "SCREENSHOT_DELETED", by=by_editor(user), data={"asset_id": asset_id})
    return {
        "anchor_id": anchor.pk,
        "deleted_asset_id": asset_id,
        "active_asset_id": anchor.active_asset_id,
    }
