"""The secret that a callback comes with, compared before its body is taken and again by its view."""

from __future__ import annotations

import hmac

from django.conf import settings

from config.api import errors


def is_callback_secret(given: str) -> bool:
    """Return whether this is a valid secret. All are compared, in constant time; without any, none is."""
    return any([hmac.compare_digest(given.encode(), secret.encode()) for secret in settings.CALLBACK_SECRETS])


def require_callback_secret(given: str) -> None:
    """Raise 401 unless this is a valid secret."""
    if not is_callback_secret(given):
        raise errors.ApiError(
            401,
            "CALLBACK_UNAUTHENTICATED",
            "The callback secret is missing or wrong.",
            hint="Send X-Callback-Secret.",
        )
