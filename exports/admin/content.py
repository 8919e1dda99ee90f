"""The file of an export, for staff who have given a reason."""

from __future__ import annotations

from typing import Any

from config.admin import StaffAction
from exports.models import Export
from jobs.admin.content import PERMISSION
from jobs.services.audit import by_staff
from jobs.services.content import OPEN_FOR, show_content


def _show(export: Export, user: Any, given: dict[str, Any]) -> str:
    show_content(job=export.job, by=by_staff(user, given["reason"]))
    return f"You may download the file for {OPEN_FOR.seconds // 60} minutes."


SHOW_FILE: StaffAction[Export] = StaffAction(
    name="read",
    label="Read the guide",
    permission=PERMISSION,
    consequence="You can download the guide, and see what the owner of the job said and wrote. That you did, and why, "
    "stands in the audit log of the job, which the owner can read.",
    is_offered=lambda export: export.status == Export.SUCCEEDED,
    perform=_show,
)
