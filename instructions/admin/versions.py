"""The versions of a document as its page lists them, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import (
    Case,
    F,
    Func,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, NullIf

from config.accounts.models import User
from config.api.ownership import parse_id
from instructions.models import Instruction, InstructionVersion

MAX_VERSIONS = 20  # that a page lists; their sizes are read from texts of up to a megabyte
_ID = "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"
Source = InstructionVersion.Source
SOURCES = {
    Source.DRAFT.value: "Draft",
    Source.EDIT.value: "Edit",
    Source.REGENERATE.value: "Passage rewritten by the model",
    Source.RESTORE.value: "Older version taken back",
}


@dataclass(frozen=True)
class Listed:
    """A version in a list: `size` in bytes of its text with the markers of its blocks."""

    row: Any
    made: str
    by: str
    size: int
    validation: str
    is_current: bool


class _Octets(Func):
    function = "octet_length"
    output_field = IntegerField()


def list_versions(instruction: Instruction) -> list[Listed]:
    """Return the newest versions of a document, the newest first, without their texts, in two statements."""
    shown = instruction.versions.order_by("-version").defer("markdown", "blocks")
    rows = list(shown.annotate(size=_Octets(F("markdown")))[:MAX_VERSIONS])
    names = _names({row.created_by for row in rows})
    owner = str(instruction.job.owner_id)
    return [_listed(row, names, owner=owner, current=instruction.version) for row in rows]


def _listed(row: Any, names: dict[str, str], *, owner: str, current: int) -> Listed:
    is_owners_edit = row.source == Source.EDIT and row.created_by == owner
    return Listed(
        row=row,
        made="Owner’s edit" if is_owners_edit else SOURCES[row.source],
        by=named_author(row, names.get(row.created_by)),
        size=row.size,
        validation=validation_in_words(row),
        is_current=row.version == current,
    )


def named_author(version: Any, name: str | None) -> str:
    """Return who wrote a version; `name` is the user's, if there is one."""
    return name or ("the service" if version.created_by == "system" else version.created_by)


def author_of(version: InstructionVersion) -> User | None:
    return User.objects.filter(pk=parse_id(version.created_by)).first()


def with_names_of_authors(versions: QuerySet[InstructionVersion]) -> QuerySet[InstructionVersion]:
    """Return versions with `author_name`, null where the author is no user."""
    author_id = Case(When(created_by__regex=_ID, then=Cast("created_by", UUIDField())))
    authors = User.objects.filter(pk=OuterRef("author_id"))
    names = authors.values_list(Coalesce(NullIf("subject", Value("")), "username"))  # as `User` names itself
    return versions.alias(author_id=author_id).annotate(author_name=Subquery(names))


def validation_in_words(version: Any) -> str:
    found = len(version.validation_errors)
    return f"{found} {'thing' if found == 1 else 'things'} to mend" if found else "Nothing to mend"


def _names(ids: set[str]) -> dict[str, str]:
    """Return the names of users by their ids, as texts; of what is no id, or nobody's, none."""
    return {str(user.pk): str(user) for user in User.objects.filter(pk__in=map(parse_id, ids))}
