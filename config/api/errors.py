"""The one shape of error bodies: `{code, message, details?, hint?, request_id}`.

Services raise `ApiError`. Exceptions of DRF and Django are translated here.
"""

from __future__ import annotations

import errno
import logging
import sys
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.response import Response

from config.api import request_id
from config.api.error_codes import CODES

log = logging.getLogger(__name__)

MAX_ERRORS = 20
"""The number of errors that a 400 names one by one."""
MORE_ERRORS = "more_errors"
# Characters of a field that the caller made up, and of a message that quotes a value: both may be as long as the body.
MAX_PATH, MAX_MESSAGE = 200, 500


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


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Return the response for an exception of a viewset; this is DRF's EXCEPTION_HANDLER."""
    error = translate(exception)
    if error.status >= 500:
        log.error("request failed: %s", error.code, exc_info=exception if error.status == 500 else None)
    return Response(body(error), status=error.status, headers=error.headers)


def translate(exception: Exception) -> ApiError:
    """Return the error that a client is shown for an exception: DRF's, Django's, the database's or the system's."""
    match exception:
        case ApiError():
            return exception
        case Http404() | PermissionDenied() | exceptions.NotFound() | exceptions.PermissionDenied():
            return not_found()
        case exceptions.APIException() if error := _translate_drf(exception):
            return error
        case RequestDataTooBig():
            return too_large()
        case SuspiciousOperation() | BadRequest() | MultiPartParserError():
            return invalid("request", "The request is malformed.")
        case OperationalError() | InterfaceError():
            return unavailable()
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return ApiError(
                507,
                "STORAGE_FULL",
                "The storage has no room for these bytes.",
                hint="Free space, then retry.",
            )
        case _:
            return ApiError(500, "INTERNAL_ERROR", "Something went wrong on our side.")


def _translate_drf(exception: exceptions.APIException) -> ApiError | None:
    match exception:
        case exceptions.ValidationError():
            return validation_error(listed(exception.detail))
        case exceptions.ParseError():
            return invalid(
                "body", str(exception.detail), code="parse_error", hint="Send a JSON object in UTF-8."
            )
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return ApiError(
                401,
                "UNAUTHENTICATED",
                str(exception.detail),
                hint="Send a valid token: Authorization: Bearer TOKEN.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        case exceptions.MethodNotAllowed():
            return ApiError(405, "METHOD_NOT_ALLOWED", "This path does not take that method.")
        case exceptions.NotAcceptable():
            return ApiError(
                406, "NOT_ACCEPTABLE", "The answer cannot be given in a media type that Accept names."
            )
        case exceptions.UnsupportedMediaType():
            return ApiError(415, "UNSUPPORTED_MEDIA_TYPE", "The body's media type is not taken here.")
        case exceptions.Throttled():
            return _throttled(exception)
    return None


def _throttled(exception: exceptions.Throttled) -> ApiError:
    seconds = max(1, round(getattr(exception, "wait", None) or 1))
    return rate_limited("Too many requests.", hint="Wait, then try again.", seconds=seconds)


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


def listed(details: Any) -> list[dict[str, str]]:
    """Return DRF's nested error details as `{field, code, message}`: the first MAX_ERRORS, and how many more there are.

    An error with the code `more_errors` stands for several at its place that are not named; its text is their
    number.
    """
    named: list[dict[str, str]] = []
    more, places = 0, set()
    for path, error in _flatten(details):
        if error.code != MORE_ERRORS and len(named) < MAX_ERRORS:
            named.append(
                {"field": path[:MAX_PATH] or "body", "code": error.code, "message": str(error)[:MAX_MESSAGE]}
            )
        else:
            is_sum = error.code == MORE_ERRORS
            more += int(error) if is_sum else 1
            places.add(path if is_sum else path.rpartition(".")[0])
    if more:
        place = places.pop()[:MAX_PATH] if len(places) == 1 else ""
        named.append({"field": place or "body", "code": MORE_ERRORS, "message": f"and {more} more."})
    return named


def _flatten(details: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each error and its dotted path; what concerns a whole object stands there under the empty name."""
    if isinstance(details, exceptions.ErrorDetail):
        yield path, details
    elif isinstance(details, dict):
        for key, value in details.items():
            yield from _flatten(value, ".".join(part for part in (path, str(key)) if part))
    else:
        for index, value in enumerate(details):
            is_error = isinstance(value, exceptions.ErrorDetail)
            yield from _flatten(value, path if is_error else f"{path}.{index}".lstrip("."))


def handler400(request: HttpRequest, exception: Exception) -> JsonResponse:
    return json_response(translate(exception))


def handler403(request: HttpRequest, exception: Exception) -> JsonResponse:
    return json_response(not_found())


def handler404(request: HttpRequest, exception: Exception) -> JsonResponse:
    return json_response(not_found())


def handler500(request: HttpRequest) -> JsonResponse:
    raised = sys.exc_info()[1]
    log.error("request failed outside the API's views", exc_info=raised)
    return json_response(translate(raised if isinstance(raised, Exception) else RuntimeError()))
