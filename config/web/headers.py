"""Headers by which a browser keeps our pages to what they need. A view may set a stricter policy itself."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
OURS = (
    "default-src 'none'; connect-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
)
WORKSPACE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# By the beginning of the path. Swagger UI sets styles in its elements, and has its icons as data: URLs. The admin's
# Alpine evaluates the expressions in its attributes.
POLICIES = {
    "/api/docs": OURS + "script-src 'self'; form-action 'none'",
    "/admin/": OURS + "script-src 'self' 'unsafe-eval'; form-action 'self'",
    **dict.fromkeys(("/jobs", "/sign-in", "/sign-out"), WORKSPACE),
}
HSTS = "max-age=31536000"


class BrowserHeadersMiddleware:
    """Adds the content security policy, and HSTS where STEPWRIGHT_PUBLIC_URL is https: behind a proxy that ends TLS
    requests come by http, so Django's own middleware would not send it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if "Content-Security-Policy" not in response.headers:
            policy = next((POLICIES[start] for start in POLICIES if request.path.startswith(start)), NOTHING)
            response.headers["Content-Security-Policy"] = policy
        if settings.IS_HTTPS:
            response.headers.setdefault("Strict-Transport-Security", HSTS)
        return response
