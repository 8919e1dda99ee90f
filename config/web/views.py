"""The pages for people. A page comes with a policy that lets it load our own style and pictures, and no more."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.vary import vary_on_headers

from config.api import errors

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
