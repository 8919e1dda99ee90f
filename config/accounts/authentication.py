"""Sign-in by `Authorization: Bearer`: a JWT (RFC 7519) of the identity provider, or an API token of a script.

A JWT must have an allowed algorithm, issuer, audience, expiry and subject. A user is identified by issuer and subject,
and created with the first token. An API token begins with `swt_`, which no JWT does, and has all rights of its owner.
"""

from __future__ import annotations

from typing import Any

import jwt
from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from config.accounts import jwks
from config.accounts.models import API_TOKEN_PREFIX, User, hash_api_token
from config.accounts.strangers import STRANGERS

MAX_TOKEN_BYTES = 8192


class BearerAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, None] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token.strip()
        if not scheme:
            STRANGERS.check(request, token)
            STRANGERS.count(request, token)
            return None
        return verify(request, token, scheme=scheme), None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def verify(request: Request, token: str, *, scheme: str = "Bearer") -> User:
    """Return the user of a token. Raise AuthenticationFailed, and Throttled after too many wrong ones from the
    request's address."""
    STRANGERS.check(request, token)
    try:
        user = _user(scheme, token)
    except AuthenticationFailed:
        STRANGERS.count(request, token)
        raise
    STRANGERS.remember(token)
    return user


def _user(scheme: str, token: str) -> User:
    if scheme.lower() != "bearer" or not token:
        raise AuthenticationFailed("The Authorization header does not hold a bearer token.")
    if len(token) > MAX_TOKEN_BYTES:
        raise _not_valid()
    return _script(token) if token.startswith(API_TOKEN_PREFIX) else _person(token)


def _script(token: str) -> User:
    user = User.objects.by_api_token(hash_api_token(token))
    if user is None:
        raise _not_valid()
    return user


def _person(token: str) -> User:
    claims = decode(token)
    user = User.objects.provision(issuer=claims["iss"], subject=claims["sub"])
    if not user.is_active:
        raise AuthenticationFailed("This account is switched off.")
    return user


def decode(token: str) -> dict[str, Any]:
    """Return the claims of a valid JWT.

    Raise AuthenticationFailed, with the kind of error and no details, and ApiError 503 when a key of the identity
    provider is needed and cannot be fetched.
    """
    rules: dict[str, Any] = settings.JWT
    try:
        claims = jwt.decode(
            token,
            _key_for(token, rules),
            algorithms=rules["ALGORITHMS"],
            issuer=rules["ISSUER"],
            audience=rules["AUDIENCE"],
            leeway=rules["LEEWAY_SECONDS"],
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise AuthenticationFailed("The token has expired.") from error
    except jwt.PyJWTError as error:
        raise _not_valid() from error
    subject = claims["sub"]
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or not subject.isprintable():
        raise _not_valid()
    return claims


def _key_for(token: str, rules: dict[str, Any]) -> Any:
    """Return the secret of this machine's own tokens, or the provider's key for the token and its algorithm."""
    if not rules["JWKS_URL"]:
        return rules["SECRET"]
    header = jwt.get_unverified_header(token)
    algorithm = header.get("alg")
    if algorithm not in rules["ALGORITHMS"]:
        raise jwt.InvalidAlgorithmError  # before a key is fetched
    return jwks.key_set(rules["JWKS_URL"]).find(header.get("kid"), algorithm).public


def _not_valid() -> AuthenticationFailed:
    return AuthenticationFailed("The token is not valid.")
