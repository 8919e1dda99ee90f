"""The handlers of errors outside the API's views: a page for browsers in the admin, the API's JSON for all others."""

from __future__ import annotations

import copy

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from config.api import request_id, translation
from config.web.views import asks_for_html

ADMIN = "/admin/"
# By status: what happened, and what one can do.
PAGES = {
    403: (
        "You may not do this",
        "Your account lacks the permission for this page. A superuser gives it, by a group such as support.",
    ),
    404: (
        "There is nothing here",
        "The address is misspelt, or what it named was deleted.",
    ),
    500: (
        "Something went wrong",
        "It is our mistake, and stands in the log under the id below. Try again, or tell an operator that id.",
    ),
    503: (
        "This cannot be reached now",
        "The database or the storage of files does not answer. Try again in a moment.",
    ),
}


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, translation.handler403(request, exception), 403)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, translation.handler404(request, exception), 404)


def handler500(request: HttpRequest) -> HttpResponse:
    answer = translation.handler500(request)
    return _answer(request, answer, 503 if answer.status_code == 503 else 500)


def _answer(request: HttpRequest, answer: HttpResponse, status: int) -> HttpResponse:
    if not request.path_info.startswith(ADMIN):
        return answer
    if asks_for_html(request):
        answer = _page(request, status)
    patch_vary_headers(answer, ["Accept"])
    return answer


def _page(request: HttpRequest, status: int) -> HttpResponse:
    """Return the page of a status. It is made as for somebody who is not signed in, as the database may be away."""
    unknown = copy.copy(request)
    unknown.user = AnonymousUser()
    title, said = PAGES[status]
    context = {
        **admin.site.each_context(unknown),
        "title": title,
        "said": said,
        "request_id": request_id.current(),
    }
    return render(unknown, "web/admin_error.html", context, status=status)
