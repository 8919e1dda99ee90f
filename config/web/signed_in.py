"""What every view of a signed-in page does: sign-in first, a limit of requests, errors as pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from rest_framework.exceptions import APIException, MethodNotAllowed

from config.api.errors import ApiError
from config.web import session
from config.web.errors import error_page

View = Callable[..., HttpResponse]
NO_STORE = "private, no-store"


def signed_in(*methods: str) -> Callable[[View], Callable[..., HttpResponse]]:
    """Call the view with the request, the user and the path's parameters; GET includes HEAD.

    Without a sign-in, lead to the page for it, and back from there. What is answered is not kept by the browser, unless
    the view says how.
    """
    taken = {*methods, *(("HEAD",) if "GET" in methods else ())}

    def decorate(view: View) -> Callable[..., HttpResponse]:
        @wraps(view)
        def answer(request: HttpRequest, **parameters: Any) -> HttpResponse:
            user = session.user_of(request)
            if user is None:
                return _to_sign_in(request)
            try:
                if request.method not in taken:
                    raise MethodNotAllowed(str(request.method))
                session.count(request, user)
                response = view(request, user, **parameters)
            except (ApiError, APIException, Http404) as error:
                response = error_page(request, error, user)
            response.headers.setdefault("Cache-Control", NO_STORE)
            return response

        return answer

    return decorate


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead to the page for sign-in. htmx would put a redirect's page into the part that it asked for, so it is told by
    its own header."""
    if "HX-Request" in request.headers:
        return HttpResponse(
            status=401, headers={"HX-Redirect": reverse("sign-in"), "Cache-Control": NO_STORE}
        )
    where = reverse("sign-in")
    if request.method == "GET":
        where += "?" + urlencode({"next": request.get_full_path()})
    return HttpResponseRedirect(where, headers={"Cache-Control": NO_STORE})
