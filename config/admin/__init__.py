"""What the admin's pages of all apps are made of."""

from __future__ import annotations

from config.admin.actions import ActionRefused, ReasonForm, StaffAction
from config.admin.lists import MAX_COUNTED, CountedPaginator, KeysetChangeList, LargeTable, estimated_rows
from config.admin.pages import ReadOnly, ReadOnlyAdmin, StaffActionsAdmin

__all__ = [
    "MAX_COUNTED",
    "ActionRefused",
    "CountedPaginator",
    "KeysetChangeList",
    "LargeTable",
    "ReadOnly",
    "ReadOnlyAdmin",
    "ReasonForm",
    "StaffAction",
    "StaffActionsAdmin",
    "estimated_rows",
]
