"""Sign-in to the admin by a proxy of ours, which names in a header who is signed in there (single sign-on).

The proxy must set the header itself in every request, and take away what the client sent under its name. Who is named
must be a user of ours who is active and staff; none is made. The API and the pages of owners know nothing of it.
"""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.backends import RemoteUserBackend
from django.contrib.auth.middleware import RemoteUserMiddleware
from django.http import HttpRequest, HttpResponseBase

from config.accounts.addresses import is_from_proxy
from config.accounts.models import User

ADMIN = "/admin/"


class ProxyUserBackend(RemoteUserBackend):
    create_unknown_user = False

    def user_can_authenticate(self, user: Any) -> bool:
        return bool(user.is_staff) and bool(super().user_can_authenticate(user))


class ProxySignInMiddleware(RemoteUserMiddleware):
    """Signs in whom the header of STEPWRIGHT_ADMIN_SSO_HEADER names, and out again when it names nobody any more."""

    @property
    def header(self) -> str:  # type: ignore[override]
        return str(settings.ADMIN_SSO_META)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = request.META.get(self.header, "")
        if not (name and is_from_proxy(request) and _may_sign_in(name)):
            request.META.pop(self.header, None)  # as if it had not been sent
        if self.header and request.path_info.startswith(ADMIN):
            self.process_request(request)
        answer: Any = self.get_response(request)  # not awaitable, as this runs under WSGI
        return cast(HttpResponseBase, answer)


def _may_sign_in(name: str) -> bool:
    """Return whether a user of that name may use the admin: others do not count as wrong passwords of the proxy."""
    return "\0" not in name and User.objects.filter(username=name, is_active=True, is_staff=True).exists()
