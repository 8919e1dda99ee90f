"""The CSRF cookie, signed: a form of the admin is taken only from who was given one by this service.

Django compares the token of a form with that of the cookie, and both may be made up by who sends them. That keeps
other sites out, but lets anyone have a password hashed (a third of a second) with one request and no form.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponseBase

SALT = "stepwright.csrf"


class SignedCsrfCookieMiddleware:
    """Stands before Django's CsrfViewMiddleware, which knows the cookie's value without the signature only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = settings.CSRF_COOKIE_NAME
        if name in request.COOKIES:
            try:
                value = TimestampSigner(salt=SALT).unsign(
                    request.COOKIES[name], max_age=settings.CSRF_COOKIE_AGE
                )
                request.COOKIES[name] = value
            except BadSignature:
                del request.COOKIES[name]
        response = self.get_response(request)
        if name in response.cookies and (value := response.cookies[name].value):
            response.cookies[name] = TimestampSigner(salt=SALT).sign(value)  # keeps its attributes
        return response
