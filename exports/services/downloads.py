"""Files of exports for staff who have given a reason to read what an owner said and wrote."""

from __future__ import annotations

from django.db import transaction

from anchors.models import Asset
from config.api.ownership import parse_id
from config.storage import download_url
from exports.models import Export
from jobs.services.audit import Attribution, record_event
from jobs.services.transitions import lock_job


def shows_concealed(export: Export) -> bool:
    """Return whether a picture in an export shows what a redaction has come to hide since.

    Staff get no file of such a one. Nor do they get its identity key: with all else that goes into that known, guesses
    of what is hidden could be tested by it.
    """
    ids = [parse_id(picture.get("asset_id")) for picture in export.snapshot.get("pictures", ())]
    return Asset.objects.filter(job=export.job_id, pk__in=ids, is_concealed=True).exists()


def hand_out(*, export: Export, by: Attribution) -> str:
    """Return a URL of the file of an export that succeeded, and write down who had it and why."""
    with transaction.atomic():
        record_event(lock_job(export.job_id), "EXPORT_DOWNLOADED", by=by, data={"export_id": str(export.pk)})
    url, _ = download_url(
        export.artifact_uri, filename=export.artifact_name, mime_type=export.artifact_mime_type
    )
    return url
