"""At 1,000,000 jobs: the admin's lists, searches and pages read about a page of rows, and no whole table."""

from __future__ import annotations

import pytest
from django.db.models import Model

from tests.admin.lists import LARGE
from tests.growth.admin_pages import hold_front_page, hold_pages_of
from tests.many import Many

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600), pytest.mark.django_db]
JOBS = 1_000_000


@pytest.mark.parametrize("model", LARGE, ids=lambda model: model.__name__)
def test_lists_searches_and_pages(many: Many, model: type[Model]) -> None:
    hold_pages_of(model)


def test_the_front_page(many: Many) -> None:
    lines = hold_front_page()["front_panels"][0]["content"]
    done = next(line for line in lines if line["status"] == "DONE")
    count = done["cells"][2]["count"]
    assert count.manner == "about" and 540_000 < count.number < 660_000  # 600,000, told from a sample
