"""Holds the pages of the admin to plans whose work does not grow with the rows."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.test import Client

from config.accounts.models import User
from config.admin import LargeTable
from tests.admin.lists import LARGE, list_queries, middle_of
from tests.admin.rows import list_path
from tests.many import DEEP, WAITING
from tests.plans import small_plans

PAGE = 101  # rows that a list asks for: 100, and one to know whether there are more


def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def hold_pages_of(model: type[Model]) -> None:
    """Ask for the list of a model with all that it offers, and for the page of a row in the middle."""
    page, client, path, middle = LARGE[model], staff(), list_path(model), middle_of(model)
    assert isinstance(page, LargeTable)
    asked = [query for queries in list_queries(page, middle).values() for query in queries]
    for query in (*asked, "?o=1", "?_facets=1"):
        # The list with what is joined to it, and the count to a thousand.
        with small_plans(rows=3 * 1001, in_sort=1001) as seen:
            assert client.get(path + query).status_code == 200, query
        assert seen
    with small_plans(rows=DEEP + 3 * PAGE, in_sort=DEEP):
        assert client.get(f"{path}{middle.pk}/change/").status_code == 200


def hold_front_page() -> Any:
    """Ask for the front page, and return its context."""
    # At most 5,000 jobs of each status and age, 2,000 failures of each period, and 128 pages of each table with sizes.
    # Entries of 10,000 runs that wait no more may stand in their index until it is vacuumed, and are then passed over
    # for each of the seven lanes.
    client = staff()
    with small_plans(rows=45_000 + 7 * 10_000, in_sort=WAITING) as seen:
        answer = client.get("/admin/")
    assert answer.status_code == 200 and len(seen) >= 9
    return answer.context
