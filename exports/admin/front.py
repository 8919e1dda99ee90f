"""What the front page of the admin shows of exports."""

from __future__ import annotations

from typing import Any

from config.admin.front import FRONT_PANELS, STORED, FrontPanel, StoredFiles, list_url, view_permission
from exports.models import Export

NEWEST = 8
TONES = {"REQUESTED": "waits", "RUNNING": "works", "SUCCEEDED": "good", "FAILED": "bad"}


def read_exports(user: Any) -> dict[str, Any]:
    """Return the newest exports, without their documents."""
    newest = Export.objects.select_related("job").defer("snapshot", "manifest").order_by("-pk")[:NEWEST]
    return {
        "exports": [{"export": export, "tone": TONES[export.status]} for export in newest],
        "url": list_url(Export),
        "shows_jobs": user.has_perm("jobs.view_job"),
    }


STORED.append(StoredFiles("Exports", Export, "artifact_size_bytes"))
FRONT_PANELS.append(
    FrontPanel(
        "Last exports", "exports/front.html", view_permission(Export), read_exports, place=60, is_wide=True
    )
)
