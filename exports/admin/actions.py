"""What staff may do to an export."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from config.admin import ActionRefused, StaffAction
from config.locks import media_place
from exports.models import Export
from exports.services.requests import render_again
from jobs.admin.requeueing import requeue_action
from jobs.services.audit import by_staff, record_event
from jobs.services.requeueing import never_again


def _render_again(export: Export, user: Any, given: dict[str, Any]) -> str:
    render_again(export=export, by=by_staff(user, given["reason"]))
    return "The export is rendered again, from what was frozen for it."


def _verify(export: Export, user: Any, given: dict[str, Any]) -> str:
    from exports.services.verification import examine, prepare

    with media_place(user.pk):
        verdict = examine(prepare(export))
    data = {"export_id": str(export.pk), "outcome": verdict.outcome}
    record_event(export.job, "EXPORT_VERIFIED", by=by_staff(user, given["reason"]), data=data)
    if verdict.outcome == "differs":
        raise ActionRefused(f"It is not what it was made as: {_told(verdict.found)}.")
    if verdict.outcome == "not_comparable":
        return f"What could be compared is the same; but {_told(verdict.found)}."
    return "Rendered again, the export has the same bytes, and what it was made of is unchanged."


def _told(found: Iterable[object]) -> str:
    return "; ".join(str(finding) for finding in found)


EXPORT_ACTIONS: tuple[StaffAction[Export], ...] = (
    StaffAction(
        name="verify",
        label="Verify",
        permission="exports.verify_any_export",
        consequence="The export is rendered once more from what was frozen, and compared byte for byte with what is "
        "stored; so are its pictures and where they come from. Nothing is written but that you asked. It takes some "
        "seconds.",
        is_offered=lambda export: export.status == Export.SUCCEEDED,
        perform=_verify,
    ),
    StaffAction(
        name="render-again",
        label="Render again",
        permission="exports.render_any_export",
        consequence="A worker renders the export once more. Its owner finds it under the same id.",
        is_offered=lambda export: export.status == Export.FAILED,
        perform=_render_again,
    ),
    requeue_action(allows=never_again, reopened_in=()),
)
