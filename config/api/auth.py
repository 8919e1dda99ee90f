"""Sign-in by bearer JWT (RFC 7519): algorithm allow-list; issuer, audience, expiry and subject required.

A user is known by issuer and subject and made on first sight.
"""

from __future__ import annotations

from typing import Any

import jwt
from django.conf import settings
from django.contrib.auth import get_user_model
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

MAX_TOKEN_BYTES = 8192


class JwtAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Any, dict[str, Any]] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer" or not token.strip():
            raise AuthenticationFailed("The Authorization header does not hold a bearer token.")
        claims = decode(token.strip())
        user = get_user_model().objects.provision(issuer=claims["iss"], subject=claims["sub"])
        if not user.is_active:
            raise AuthenticationFailed("This account is switched off.")
        return user, claims

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def decode(token: str) -> dict[str, Any]:
    """The claims of a valid token; raises AuthenticationFailed and says no more than which kind of wrong it is."""
    rules: dict[str, Any] = settings.JWT
    if len(token) > MAX_TOKEN_BYTES:
        raise AuthenticationFailed("The token is not valid.")
    try:
        claims = jwt.decode(
            token,
            rules["SECRET"],
            algorithms=rules["ALGORITHMS"],
            issuer=rules["ISSUER"],
            audience=rules["AUDIENCE"],
            leeway=rules["LEEWAY_SECONDS"],
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise AuthenticationFailed("The token has expired.") from error
    except jwt.PyJWTError as error:
        raise AuthenticationFailed("The token is not valid.") from error
    subject = claims["sub"]
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or "\0" in subject:
        raise AuthenticationFailed("The token is not valid.")
    return claims
