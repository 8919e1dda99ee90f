"""Wrong passwords in the admin: how many are taken (django-axes counts them in the database), and what is said.

A name is locked for the address that the wrong passwords came from, so that nobody can lock a name for everybody,
and an address for all names. Both hold before a password is hashed. An IPv6 address counts as its /64.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# Wrong passwords for one name from one address, and from one address for all names, until both have rested.
NAME_LIMIT, ADDRESS_LIMIT = 5, 20
REST = timedelta(minutes=15)


class LockoutHandler(AxesDatabaseHandler):
    """django-axes with a limit of its own for the address. It asks by AXES_LOCKOUT_PARAMETERS: the pair first."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Return the failures, of which NAME_LIMIT lock: the pair's, or the address's on the same scale."""
        pair, address = (
            attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        )
        return max(pair, address * NAME_LIMIT // ADDRESS_LIMIT)

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Forget the failures of the pair after a sign-in. Those of the address stay: with an account of one's own
        one could else go on guessing at others."""
        pair, _ = self.filter_user_attempts(request, credentials)
        return int(pair.delete()[0])


def locked_out(request: HttpRequest, response: HttpResponse, credentials: dict[str, Any]) -> HttpResponse:
    """Return the page that tells why sign-in is refused, and what to do; this is AXES_LOCKOUT_CALLABLE."""
    page = _page(request, "accounts/locked_out.html", 429, "Too many wrong passwords")
    page.headers["Retry-After"] = str(int(REST.total_seconds()))
    return page


def form_not_ours(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return the admin's page for a form that was not sent from a page of this service, or too late."""
    return _page(request, "accounts/form_not_ours.html", 403, "The form has expired")


def _page(request: HttpRequest, template: str, status: int, title: str) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": title, "minutes": int(REST.total_seconds() // 60)}
    return render(request, template, context, status=status)
