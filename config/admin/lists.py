"""Lists of tables of any size."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

MAX_COUNTED = 1000  # rows; of more, it is only known that there are more
LAST = "last"


def estimated_rows(model: type[Model]) -> int:
    """Return how many rows the table had when PostgreSQL last looked, which it does now and then; -1 if never."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        return int(cursor.fetchone()[0])


class CountedPaginator(Paginator):
    """Counts to MAX_COUNTED. What is beyond is estimated for a whole table, and not known for a part of one."""

    object_list: Any
    template_name = "admin/keyset_pagination.html"

    @cached_property
    def count(self) -> int:
        return int(self.object_list[: MAX_COUNTED + 1].count())

    @property
    def count_text(self) -> str:
        if self.count <= MAX_COUNTED:
            return f"{self.count:,}"
        query = self.object_list.query
        estimate = 0 if query.where else estimated_rows(query.model)
        if estimate <= MAX_COUNTED:
            return f"more than {MAX_COUNTED:,}"
        return f"about {round(estimate, 3 - len(str(estimate))):,}"  # three digits say as much as it knows


class KeysetChangeList(ChangeList):
    """A list in pages by the primary key, a UUIDv7: newest first, found by index however far from the first.

    `?p=ID` is the page of what is older than a row, `?p=-ID` the page of what is newer, `?p=last` that of the oldest.
    """

    first_url = previous_url = next_url = last_url = ""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        self.result_list, has_newer, has_older = self._read_page(request.GET.get(PAGE_VAR, ""))
        # Django's templates say "show all" where the two differ.
        self.result_count = self.full_result_count = self.paginator.count
        self.show_full_result_count = self.can_show_all = False
        self.multi_page, self.show_admin_actions = has_newer or has_older, True
        if has_newer:
            self.first_url = self.get_query_string()
            self.previous_url = self._url(f"-{self.result_list[0].pk}") if self.result_list else ""
        if has_older:
            self.next_url = self._url(str(self.result_list[-1].pk))
            self.last_url = self._url(LAST)

    def _read_page(self, cursor: str) -> tuple[list[Any], bool, bool]:
        """Return the rows of a page, and whether there are newer and older ones."""
        is_backward = cursor.startswith("-") or cursor == LAST
        rows = self.model_admin.as_shown(self.queryset)
        rows = rows.order_by("pk") if is_backward else rows
        if cursor and cursor != LAST:
            row_id = _parse(cursor.removeprefix("-"))
            if row_id is None:
                raise IncorrectLookupParameters
            rows = rows.filter(pk__gt=row_id) if is_backward else rows.filter(pk__lt=row_id)
        found = list(rows[: self.list_per_page + 1])
        page, has_more = found[: self.list_per_page], len(found) > self.list_per_page
        if is_backward:
            return page[::-1], has_more, cursor != LAST
        return page, bool(cursor), has_more

    @property
    def csv_url(self) -> str:
        """Where the list is as CSV, with its filters."""
        return f"csv/{self.get_query_string(remove=[PAGE_VAR])}"

    def _url(self, cursor: str) -> str:
        return str(self.get_query_string({PAGE_VAR: cursor}))


def _parse(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class LargeTable:
    """Lists a table in a time that does not grow with its rows; to be mixed into a ModelAdmin.

    `search_fields` are columns of ids, and lookups of texts that an index serves, such as `name__istartswith`. Each
    field of `list_filter` needs an index on it and the primary key, and no filter asks the table for its values.
    """

    paginator: ClassVar[type] = CountedPaginator
    ordering: ClassVar[Any] = ("-pk",)
    sortable_by: ClassVar[Any] = ()
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_disable_select_all = True
    search_fields: ClassVar[tuple[str, ...]] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def as_shown(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows with what a page or file shows beside their fields; they are counted without it."""
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows that the term names, by equality of an id or by text. Django would cast ids to text and
        join all with OR, which no index serves."""
        term = search_term.strip()
        if not term:
            return queryset, False
        ids = [name for name in self.search_fields if "__" not in name]
        if row_id := _parse(term):
            for name in ids:  # an id is found in one column at most
                if queryset.order_by().filter(**{name: row_id}).exists():
                    return queryset.filter(**{name: row_id}), False
        texts = [Q((name, term)) for name in self.search_fields if name not in ids]
        return (queryset.filter(reduce(or_, texts)) if texts else queryset.none()), False
