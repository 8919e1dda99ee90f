"""What the admin's lists are asked for: every page, filter and search that their pages offer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model
from django.test import RequestFactory

from config.accounts.models import User
from jobs.models import AuditEvent, Job
from tests.admin.rows import MODELS
from tests.many import TABLES, key_of

LARGE: dict[type[Model], Any] = {
    model: page for model, page in MODELS.items() if model._meta.concrete_model in TABLES
}
"""The pages of the models of which `many` makes rows."""


def middle_of(model: type[Model]) -> Model:
    """Return a row to which half of a list leads."""
    return model._default_manager.order_by("pk")[model._default_manager.count() // 2]


def list_queries(page: Any, middle: Model) -> dict[str, list[str]]:
    """Return the queries of a list by what they are for."""
    return {
        "first page": [""],
        "page in the middle": [f"?p={middle.pk}", f"?p=-{middle.pk}"],
        "last page": ["?p=last"],
        "filter": list(_filters(page)),
        "search": [f"?q={term}" for term in _search_terms(page, middle)],
    }


def _filters(page: Any) -> Iterator[str]:
    """The query of each value of each filter, as the sidebar links to it."""
    request = RequestFactory().get("/")
    request.user = get_user_model()(is_superuser=True, is_active=True)
    shown = page.get_changelist_instance(request)
    for spec in shown.filter_specs:
        yield from (choice["query_string"] for choice in spec.choices(shown))


def _search_terms(page: Any, row: Model) -> Iterator[str]:
    yield str(key_of(User, 99_999_999))  # nobody's
    for name in page.search_fields:
        field, _, lookup = name.partition("__")
        value = str(getattr(row, page.opts.get_field(field).attname))
        yield value[:-1] if "startswith" in lookup else value
    if isinstance(row, Job):
        event = AuditEvent.objects.filter(job=row).latest("pk")
        yield from (str(event.pk), f"file:///uploads/{row.pk}/{event.pk}", row.owner.subject)
