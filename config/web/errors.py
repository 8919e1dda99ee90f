"""Errors as pages for people: the contract's own, with the same sentences."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.accounts import lockout
from config.accounts.models import User
from config.api import request_id
from config.api.translation import translate

ADMIN = "/admin/"
TITLES = {
    400: "This link is not right",
    403: "The form has expired",
    404: "There is no such page",
    405: "This page does not take that",
    409: "This cannot be done now",
    429: "Too many requests",
}


def error_page(request: HttpRequest, exception: Exception, person: User | None = None) -> HttpResponse:
    """Return the page for an exception that a view may raise: ApiError, Http404 or DRF's; `person` is signed in."""
    error = translate(exception)
    context = {
        "person": person,
        "title": TITLES.get(error.status, "Something went wrong"),
        "message": error.message,
        "hint": error.hint,
        "wait": error.headers.get("Retry-After"),
        "request_id": request_id.current(),
    }
    if error.status == 404:
        context |= {"message": "It was deleted, or the link is wrong, or it belongs to somebody else."}
    page = render(request, "web/error.html", context, status=error.status)
    for name, value in error.headers.items():
        page.headers[name] = value
    return page


def form_not_ours(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return the page for a form that was not sent from a page of this service, or too late; CSRF_FAILURE_VIEW."""
    if request.path.startswith(ADMIN):
        return lockout.form_not_ours(request, reason)
    context = {
        "title": TITLES[403],
        "message": "Nothing was done: the form was open for too long, or your browser sent no cookie with it, or it "
        "came from another site.",
        "hint": "Open the page again, and allow cookies for this site.",
    }
    return render(request, "web/error.html", context, status=403)
