"""Names of other rows in lists, which lead to their pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import FieldDoesNotExist
from django.db.models import ForeignKey, Model
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from config.admin.front import change_url


class Linked(SafeString):
    """A link as HTML; `text` is what it shows, which is all that a file has of it."""

    text: str = ""


def link_to(row: Model) -> Linked:
    """Return a link to the page of a row that the admin shows, named as the row names itself."""
    linked = Linked(format_html('<a href="{}" class="text-link">{}</a>', change_url(row), row))
    linked.text = str(row)
    return linked


def linked_column(model: type[Model], name: str) -> Callable[[Any], Any]:
    """Return a column of a list that shows the row that the foreign key `name` leads to, as a link to its page."""
    field = foreign_key(model, name)
    assert field is not None  # tells mypy: callers have asked  # nosec B101

    @display(description=str(field.verbose_name).capitalize())
    def shown(row: Any) -> Any:
        other = getattr(row, name)
        return None if other is None else link_to(other)

    return shown


def foreign_key(model: type[Model], name: Any) -> ForeignKey[Any, Any] | None:
    """Return the foreign key that a column of a list is, None for all else."""
    try:
        field = get_fields_from_path(model, name)[-1] if isinstance(name, str) else None
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, ForeignKey) else None
