"""Who is signed in to the pages: by a token that was given once to the page for it, and is not kept.

It stands under a key of its own in the session, so that it opens neither the admin, which asks for Django's own, nor
the API, which knows no session. The session ends with the token: when a JWT expires, and at the next request after an
API token was revoked or its user was switched off; after SESSION_COOKIE_AGE at the latest.
"""

from __future__ import annotations

import time

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from config.accounts.authentication import decode, verify
from config.accounts.models import API_TOKEN_PREFIX, User, hash_api_token
from config.accounts.throttling import UserThrottle

KEY = "web_sign_in"


def begin(request: HttpRequest, token: str) -> User:
    """Sign in the user of a token. Raise AuthenticationFailed, and Throttled as the API does: after too many wrong ones
    from this address, and beyond the user's limit."""
    user = verify(Request(request), token)
    count(request, user)
    api_token, ends = "", int(time.time()) + settings.SESSION_COOKIE_AGE
    if token.startswith(API_TOKEN_PREFIX):
        api_token = hash_api_token(token)
    else:
        ends = min(ends, int(decode(token)["exp"]))
    if ends <= time.time():  # the API takes it for a few seconds more, for clocks that differ
        raise AuthenticationFailed("The token has expired.")
    request.session.cycle_key()  # of what was there before, nobody else may know the new id
    request.session[KEY] = {"user": str(user.pk), "api_token": api_token, "ends": ends}
    rotate_token(request)
    return user


def user_of(request: HttpRequest) -> User | None:
    """Return who is signed in, and may be still; else end the sign-in and return None."""
    kept = request.session.get(KEY)
    if kept is None:
        return None
    user = None
    if kept["ends"] > time.time():
        users = User.objects.filter(pk=kept["user"], is_active=True)
        user = User.objects.by_api_token(kept["api_token"]) if kept["api_token"] else users.first()
    if user is None:
        end(request)
    return user


def count(request: HttpRequest, user: User) -> None:
    """Raise Throttled beyond the user's limit of requests, which is one for pages and API."""
    counted, throttle = Request(request), UserThrottle()
    counted.user = user
    if not throttle.allow_request(counted, None):
        raise Throttled(wait=throttle.wait())


def end(request: HttpRequest) -> None:
    """Sign out of the pages; who is signed in to the admin by the same session stays so."""
    request.session.pop(KEY, None)
    if auth.SESSION_KEY in request.session:
        request.session.cycle_key()
    else:
        request.session.flush()
