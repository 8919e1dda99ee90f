"""How the API description shows this app."""

from __future__ import annotations

from anchors.api.schema.anchors import anchors
from anchors.api.schema.assets import anchor_assets, assets
from anchors.api.schema.redactions import redactions
from anchors.api.schema.searching import redaction_suggestions
from anchors.api.schema.suggestions import suggestions
from anchors.api.schema.tasks import screenshot_tasks
from anchors.api.schema.uploads import anchor_uploads, screenshot_confirmations, screenshot_uploads

__all__ = [
    "anchor_assets",
    "anchor_uploads",
    "anchors",
    "assets",
    "redaction_suggestions",
    "redactions",
    "screenshot_confirmations",
    "screenshot_tasks",
    "screenshot_uploads",
    "suggestions",
]
