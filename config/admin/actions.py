"""What staff may do to a row: with a permission of its own, for a reason, through the service that the API calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

Row = TypeVar("Row")
MAX_REASON = 500


class ReasonForm(forms.Form):
    """The reason of an action. An action that needs to know more has a form that is derived from this."""

    reason = forms.CharField(
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
        help_text="It stands in the audit log, for others to understand what was done: a ticket, or a sentence.",
    )


class ActionRefused(Exception):
    """The action cannot be done to this row, or has found something bad. The message says which, and what was done."""


@dataclass(frozen=True)
class StaffAction(Generic[Row]):
    """One action. `permission` is such as `jobs.cancel_any_job`, `consequence` says what will happen.

    `perform` gets the row, who does it, and what the form gave, its reason at least; it calls one service and returns
    a sentence that says what was done. It raises ApiError or ActionRefused when it cannot be done.
    """

    name: str
    label: str
    permission: str
    consequence: str
    is_offered: Callable[[Row], bool]
    perform: Callable[[Row, Any, dict[str, Any]], str]
    form: type[ReasonForm] = ReasonForm
    is_dangerous: bool = False
