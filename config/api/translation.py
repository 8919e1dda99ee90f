"""What a client is shown for an exception: DRF's, Django's, the database's or the system's."""

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

from config.api.errors import (
    MAX_ERRORS,
    MORE_ERRORS,
    ApiError,
    body,
    invalid,
    json_response,
    not_found,
    rate_limited,
    too_large,
    unavailable,
    validation_error,
)

log = logging.getLogger(__name__)

# Characters of a field that the caller made up, and of a message that quotes a value: both may be as long as the body.
MAX_PATH, MAX_MESSAGE = 200, 500


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
        case OSError(errno=errno.EIO):
            return unavailable("The storage of files cannot be used now.")
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
