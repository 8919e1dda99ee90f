"""What a PUT to a signed URL may write, asked before its bytes are taken and again before the file gets its name.

The rows of tickets belong to later apps, which register in TICKETS what they answer for a kind of folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from config.api import errors
from config.storage import FileStorage, TooLarge, TooManyUploads, WrongChecksum, storage
from config.storage.base import Draft
from config.storage.signed_urls import UPLOAD_SALT, read_token


@dataclass(frozen=True)
class Declared:
    """What a ticket was asked for: size in bytes, media type, and SHA-256 (hex) where it is known before."""

    size_bytes: int
    mime_type: str
    sha256: str = ""


@dataclass(frozen=True)
class Tickets:
    """What an app answers for the tickets of its kind of folder. Both raise ApiError."""

    declared: Callable[[str], Declared]
    """Return what a key's ticket was asked for, if it takes a file now."""
    naming: Callable[[str], AbstractContextManager[None]]
    """A block in which the file of a key, complete, gets its name; the ticket cannot be closed meanwhile."""


TICKETS: dict[str, Tickets] = {}
"""By the first folder of a key, such as `uploads`."""


ADMISSION = "stepwright.admission"
"""In the WSGI environment, where no header gets to: the Admission of an upload whose bytes are here already."""


@dataclass(frozen=True)
class Admission:
    """The key that an upload is for, and how many bytes it is to have, with which SHA-256 (hex) if that is known."""

    key: str
    limit: int
    sha256: str = ""


def admit_upload(token: str, content_length: int | None, content_type: str) -> Admission:
    """Return what may be written with this token; `content_length` is None for a chunked body.

    Raise 404 for a forged token and one without a ticket, 409 for a ticket that takes nothing any more, 413 for a
    body longer than was declared, 400 for a shorter one or another type.
    """
    key = read_token(token, UPLOAD_SALT)["key"]
    _receiving()
    declared = _tickets(key).declared(key)
    size, mime_type = declared.size_bytes, declared.mime_type
    if content_length is not None and content_length > size:
        raise errors.too_large()
    if content_length is not None and content_length < size:
        raise errors.invalid("Content-Length", f"The ticket was asked for {size} bytes: send all of them.")
    if content_type.partition(";")[0].strip().lower() != mime_type.lower():
        raise errors.invalid(
            "Content-Type", f"The ticket was asked for {mime_type}.", hint="Send the headers of the ticket."
        )
    return Admission(key, size, declared.sha256)


def new_draft(admission: Admission) -> Draft:
    """Return an empty draft of the file, for a body that comes before `receive_upload`; raise 429."""
    with _refusals(admission):
        return _receiving().new_draft(admission.key)


def receive_upload(admission: Admission, body: BinaryIO | Draft) -> None:
    """Store the body under its key, if it has the size that was declared and the ticket takes it still."""
    with _refusals(admission):
        naming = _tickets(admission.key).naming(admission.key)
        _receiving().receive(
            admission.key, body, size=admission.limit, naming=naming, sha256=admission.sha256
        )


@contextmanager
def _refusals(admission: Admission) -> Iterator[None]:
    """Raise ApiError for what the storage refuses."""
    try:
        yield
    except TooManyUploads as error:
        raise errors.ApiError(
            429,
            "RATE_LIMITED",
            "Several uploads of this job are under way.",
            hint="Wait until one of them has ended, then send it again.",
            headers={"Retry-After": "10"},
        ) from error
    except TooLarge as error:
        raise errors.too_large() from error
    except WrongChecksum as error:
        message = "The bytes have another SHA-256 than the ticket was asked for."
        hint = "Send the same file again, or ask for a ticket for another."
        raise errors.invalid("body", message, code="wrong_checksum", hint=hint) from error
    except ConnectionError as error:
        message = f"The upload ended before all its {admission.limit} bytes came."
        raise errors.invalid("body", message, hint="Send it again.") from error


def _receiving() -> FileStorage:
    """Return the storage if it takes uploads through us; raise 404 for one to which clients send them themselves."""
    found = storage()
    if not isinstance(found, FileStorage):
        raise errors.not_found()
    return found


def _tickets(key: str) -> Tickets:
    return TICKETS[key.partition("/")[0]]
