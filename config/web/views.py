"""The pages for people that belong to no app: the start page, and the way in and out of the workspace.

The start page comes with a policy that lets it load our own style and pictures, and no more.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.vary import vary_on_headers
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, Throttled

from config.api import errors
from config.web import session
from config.web.errors import error_page
from config.web.signed_in import NO_STORE

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def asks_for_html(request: HttpRequest) -> bool:
    """Return whether Accept names text/html itself, at least as high as JSON; `*/*` does not."""
    html, json = request.accepted_type("text/html"), request.accepted_type("application/json")
    return html is not None and html.sub_type == "html" and (json is None or html.quality >= json.quality)


@csrf_exempt  # a POST gets the 404 of any path that is not there, not a page about cookies
@vary_on_headers("Accept")
def start_page(request: HttpRequest) -> HttpResponse:
    """Answer a browser with the way in; to all others there is nothing at `/`."""
    if request.method not in ("GET", "HEAD") or not asks_for_html(request):
        return errors.json_response(errors.not_found())
    page = render_to_string("web/index.html", {"public_url": settings.PUBLIC_URL})
    return HttpResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


@sensitive_post_parameters("token")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for a token; with a valid one, lead to where the reader came from. The token is not kept."""
    if request.method not in ("GET", "HEAD", "POST"):
        return error_page(request, MethodNotAllowed(str(request.method)))
    if request.method != "POST":
        return _form(request, request.GET.get("next", ""))
    target = request.POST.get("next", "")
    try:
        session.begin(request, request.POST.get("token", "").strip())
    except AuthenticationFailed as failure:
        return _form(request, target, error=str(failure.detail), status=401)
    except (Throttled, errors.ApiError) as refused:
        return error_page(request, refused)
    return HttpResponseRedirect(_own_page(target))


def sign_out(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return error_page(request, MethodNotAllowed(str(request.method)))
    session.end(request)
    return HttpResponseRedirect(reverse("sign-in"))


def _form(request: HttpRequest, target: str, *, error: str = "", status: int = 200) -> HttpResponse:
    page = render(request, "web/sign_in.html", {"next": _own_page(target), "error": error}, status=status)
    page.headers["Cache-Control"] = NO_STORE
    return page


def _own_page(target: str) -> str:
    """Return the path if it is of a page for which one signs in, else that of the first such page."""
    return target if target.startswith("/jobs/") or target.startswith("/jobs?") else reverse("jobs-page")
