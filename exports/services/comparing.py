"""Compare two guides as they are now, in a child process; nothing is written but where pictures were found."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.utils.text import slugify

from anchors.models import Asset
from config import sandbox
from config.accounts.models import User
from config.api import errors
from config.api.ownership import parse_id
from config.locks import media_place
from config.storage import storage
from exports.comparison.changes import (
    MAX_PICTURES,
    PictureDamaged,
    Region,
    StepChange,
    TooMuchToCompare,
    screen_of,
)
from exports.freeze import freeze
from exports.services.pictures import active_pictures, origins_of, resolved_pictures
from exports.snapshot import AssetMissing, Document
from instructions.models import Instruction

Result = TypeVar("Result")


class ComparisonPage(NamedTuple):
    content: bytes
    filename: str


def compare_instructions(*, old: Instruction, new: Instruction, user: User) -> list[StepChange]:
    """Return what changed from the newest version of one guide to that of another, step by step.

    Raises 400 COMPARISON_TOO_LARGE for more than is compared, 409 ASSET_MISSING for a picture whose file is missing or
    damaged, 429 when other calls of the user have media read, and 503 while a picture is being redacted.
    """
    from exports.comparison.calls import compare_steps

    return _compared(compare_steps, _read(old), _read(new), user, returns=(StepChange, Region))


def compare_as_page(*, old: Instruction, new: Instruction, user: User) -> ComparisonPage:
    """Return the same as an HTML file; raise the same."""
    from exports.comparison.calls import compare_on_page

    documents = _read(old), _read(new)
    content = _compared(compare_on_page, *documents, user)
    return ComparisonPage(content, f"{slugify(documents[1].title)[:80] or 'guide'}-changes.html")


def _read(instruction: Instruction) -> Document:
    """Return the newest version of a document with its pictures; its job is at hand."""
    version = instruction.versions.order_by("-version").first()
    if version is None:
        raise errors.not_found()
    pictures = active_pictures(version)
    if len(pictures) > MAX_PICTURES:
        raise _too_much(f"A guide has over {MAX_PICTURES} pictures.")
    job = instruction.job
    return freeze(
        resolved_pictures(pictures, version, origins_of(pictures)),
        markdown=version.markdown,
        blocks=version.read_blocks(),
        fallback_title=job.options.get("title") or "Guide",
        provenance={},
        job_id=str(job.pk),
        instruction_id=str(instruction.pk),
        instruction_version_id=str(version.pk),
        version=version.version,
        language=job.options.get("language") or "en",
        video_sha256=None,
    )


def _compared(
    function: Callable[..., Result],
    old: Document,
    new: Document,
    user: User,
    *,
    returns: tuple[type, ...] = (),
) -> Result:
    uris = _uris(old, new)
    try:
        with media_place(user.pk), contextlib.ExitStack() as files:
            paths = {str(pk): _path(files, pk, uri) for pk, uri in uris.items()}
            compared = sandbox.call(
                function,
                old,
                new,
                paths,
                limits=sandbox.limits.COMPARISON,
                returns=returns,
                raises=(AssetMissing, PictureDamaged, TooMuchToCompare),
            )
    except (AssetMissing, PictureDamaged) as error:
        raise errors.conflict(
            "ASSET_MISSING", "A picture of one of the guides is missing or damaged."
        ) from error
    except TooMuchToCompare as error:
        raise _too_much(str(error)) from error
    except sandbox.SandboxError as error:
        if error.may_pass:
            raise errors.unavailable("The guides could not be compared now.") from error
        raise _too_much("To compare the pictures takes more than the service allows.") from error
    _require_shown(uris)
    return compared


def _uris(*documents: Document) -> dict[UUID, str]:
    """Return by asset id where the files lie of what is shown in the guides and of what it is compared as.

    Raises 503 when a redaction conceals one of them.
    """
    wanted = {
        parse_id(asset_id)
        for document in documents
        for picture in document.pictures
        for asset_id in (picture.asset_id, screen_of(picture)[0])
    }
    rows = Asset.objects.filter(pk__in=wanted).values_list("pk", "uri", "is_concealed")
    if any(is_concealed for *_, is_concealed in rows):
        raise _redacted_meanwhile()
    return {pk: uri for pk, uri, _ in rows}


def _path(files: contextlib.ExitStack, asset_id: UUID, uri: str) -> Path:
    try:
        return files.enter_context(storage().local_path(uri))
    except FileNotFoundError as error:
        raise AssetMissing(str(asset_id)) from error


def _require_shown(uris: dict[UUID, str]) -> None:
    """Raise 503 when a redaction has concealed a picture meanwhile: nothing that was found out of it is told."""
    if Asset.objects.filter(pk__in=uris, is_concealed=True).exists():
        raise _redacted_meanwhile()


def _redacted_meanwhile() -> errors.ApiError:
    return errors.unavailable("A picture of one of the guides was redacted while they were compared.")


def _too_much(message: str) -> errors.ApiError:
    return errors.ApiError(400, "COMPARISON_TOO_LARGE", message)
