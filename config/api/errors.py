"""The one shape of error bodies: `{code, message, details?, hint?, request_id}`.

Services raise `ApiError`. What else a view raises is translated in `config.api.translation`.
"""

from __future__ import annotations

from typing import Any

from django.http import JsonResponse

from config.api import request_id
from config.api.error_codes import CODES

MAX_ERRORS = 20
"""The number of errors that a 400 names one by one."""
MORE_ERRORS = "more_errors"


class ApiError(Exception):
    """An error of the contract.

    `message` is one sentence for a person, without secrets, transcript or prompt text. Raise ValueError for a code
    that is not in the catalogue, or has another status there.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        hint: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        if code not in CODES or CODES[code].status != status:
            raise ValueError(f"{status} {code} is not in the catalogue of error codes")
        self.status, self.code, self.message = status, code, message
        self.details, self.hint, self.headers = details, hint, headers or {}


def not_found() -> ApiError:
    """Return the 404, which is the same for missing rows, those of other owners and malformed ids."""
    return ApiError(404, "RESOURCE_NOT_FOUND", "There is no such resource.")


def conflict(code: str, message: str, *, hint: str | None = None, **details: Any) -> ApiError:
    return ApiError(409, code, message, details=details, hint=hint)


def not_watched(current_status: str) -> ApiError:
    """Return the 409 for what needs to know what the screen shows, while a worker finds that out."""
    return ApiError(
        409,
        "SCREEN_EVENTS_NOT_READY",
        "It is not known yet what the screen of this video shows.",
        details={"current_status": current_status},
        hint="Send it again after the seconds of Retry-After.",
        headers={"Retry-After": "5"},
    )


def invalid(field: str, message: str, *, code: str = "invalid", hint: str | None = None) -> ApiError:
    """Return a 400 for one field, given as a dotted path in the body, query or headers."""
    return validation_error([{"field": field, "code": code, "message": message}], hint=hint)


def validation_error(errors: list[dict[str, str]], *, hint: str | None = None) -> ApiError:
    return ApiError(
        400, "VALIDATION_ERROR", "The request is not valid.", details={"errors": errors}, hint=hint
    )


def body(error: ApiError) -> dict[str, Any]:
    content: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.details:
        content["details"] = error.details
    if error.hint:
        content["hint"] = error.hint
    content["request_id"] = request_id.current()
    return content


def json_response(error: ApiError) -> JsonResponse:
    """Return the response for errors outside DRF: in middleware and Django's own handlers."""
    return JsonResponse(body(error), status=error.status, headers=error.headers)


def rate_limited(message: str, *, hint: str, seconds: int, **details: Any) -> ApiError:
    headers = {"Retry-After": str(seconds)}
    return ApiError(429, "RATE_LIMITED", message, details=details, hint=hint, headers=headers)


def too_large() -> ApiError:
    return ApiError(413, "PAYLOAD_TOO_LARGE", "The body is larger than this path takes.")


def too_slow() -> ApiError:
    return ApiError(
        408, "REQUEST_TIMEOUT", "The body came too slowly.", hint="Send it again over a faster connection."
    )


def cut_off() -> ApiError:
    return invalid("body", "The body ended before all its bytes came.", hint="Send it again.")


def overloaded() -> ApiError:
    return ApiError(
        503, "SERVICE_UNAVAILABLE", "Too many requests wait already.", headers={"Retry-After": "2"}
    )


def unavailable(message: str = "The service cannot reach its database.") -> ApiError:
    return ApiError(503, "SERVICE_UNAVAILABLE", message, headers={"Retry-After": "5"})
