"""Create and revoke API tokens. The value is shown once, when created; the row has only its hash."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.utils import timezone

from config.accounts.models import API_TOKEN_PREFIX, ApiToken, User, hash_api_token
from config.api import errors

DEFAULT_DAYS, MAX_DAYS = 90, 366
PREFIX_LENGTH = len(API_TOKEN_PREFIX) + 6  # 36 of the 256 bits: enough to tell tokens apart


def create_api_token(*, user: User, name: str, lifetime_days: int = DEFAULT_DAYS) -> tuple[ApiToken, str]:
    """Create a token; return the row and the value (`swt_` and 43 characters), which is not stored.

    Raise ApiError 400 unless the name has 1 to 100 characters and the lifetime is 1 to 366 days.
    """
    name = name.strip()
    if not 1 <= len(name) <= 100 or "\0" in name:
        raise errors.invalid("name", "Give the token a name of 1 to 100 characters.")
    if not 1 <= lifetime_days <= MAX_DAYS:
        raise errors.invalid("lifetime_days", f"A token is valid for 1 to {MAX_DAYS} days.")
    value = API_TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        sha256=hash_api_token(value),
        prefix=value[:PREFIX_LENGTH],
        expires_at=timezone.now() + timedelta(days=lifetime_days),
    )
    return token, value


def switch_off_user(*, user: User) -> None:
    """Let the user in no more, by password or token, until the switch is turned on again. A second call has no effect.

    Sessions and tokens are looked at with each request, so those that are open end with the next one.
    """
    User.objects.filter(pk=user.pk, is_active=True).update(is_active=False)
    user.refresh_from_db(fields=["is_active"])


def switch_on_user(*, user: User) -> None:
    """Let a user in again who was switched off. A second call has no effect."""
    User.objects.filter(pk=user.pk, is_active=False).update(is_active=True)
    user.refresh_from_db(fields=["is_active"])


def revoke_api_token(*, token: ApiToken) -> None:
    """Make the token invalid from now on. A second call has no effect."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    token.refresh_from_db(fields=["revoked_at"])
