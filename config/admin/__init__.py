"""What the admin's pages of all apps are made of."""

from __future__ import annotations

from config.admin.actions import ReasonForm, StaffAction
from config.admin.lists import MAX_COUNTED, CountedPaginator, KeysetChangeList, LargeTable, estimated_rows
from config.admin.pages import ReadOnly, ReadOnlyAdmin

__all__ = [
    "MAX_COUNTED",
    "CountedPaginator",
    "KeysetChangeList",
    "LargeTable",
    "ReadOnly",
    "ReadOnlyAdmin",
    "ReasonForm",
    "StaffAction",
    "estimated_rows",
]
