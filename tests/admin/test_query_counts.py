"""How many statements each page of the admin takes, and as many with twice the rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.accounts.models import User
from tests.admin import rows

pytestmark = pytest.mark.django_db
# Two of them find the session and its user. A page that is not here yet may take so many as UNKNOWN says.
NUMBERS = {
    "the front page": 19,
    "confirmation of an action": 3,
    "list of Group": 5,
    "list of User": 4,
    "list of ApiToken": 4,
    "list of Worker": 4,
    "list of Job": 5,
    "list of Project": 4,
    "list of UploadTicket": 4,
    "list of Instruction": 4,
    "list of InstructionVersion": 4,
    "list of RegenerateTask": 4,
    "list of Asset": 4,
    "list of ImageUpload": 4,
    "list of ScreenshotTask": 4,
    "list of AnchorResolution": 4,
    "list of Export": 4,
    "page of Group": 5,
    "page of User": 7,
    "page of ApiToken": 4,
    "page of Worker": 3,
    "page of Job": 21,
    "page of Project": 3,
    "page of UploadTicket": 3,
    "page of Instruction": 7,
    "page of InstructionVersion": 5,
    "page of RegenerateTask": 6,
    "page of Asset": 10,
    "page of ImageUpload": 3,
    "page of ScreenshotTask": 8,
    "page of AnchorResolution": 5,
    "page of Export": 5,
}
UNKNOWN = {"list": 6, "page": 10}


def pages() -> Iterator[tuple[str, str]]:
    """Yield the name and the path of each list, and of a page of each kind, of a row with several that belong to it."""
    yield "the front page", "/admin/"
    for model in rows.MODELS:
        row, path = rows.newest(model), rows.list_path(model)
        yield f"list of {model.__name__}", path
        yield f"page of {model.__name__}", f"{path}{row.pk}/change/"
        if model.__name__ == "Job":
            yield "confirmation of an action", f"{path}{row.pk}/do/cancel/"


def counted(client: Client) -> dict[str, int]:
    numbers = {}
    for name, path in pages():
        client.get(path)  # what is asked once in the life of a process
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == 200, path
        numbers[name] = len(seen)
    return numbers


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def test_each_page_takes_its_number_of_statements(staff: Client) -> None:
    rows.make_rows(2)
    found = counted(staff)
    assert {name: found.pop(name) for name in NUMBERS} == NUMBERS
    assert {name for name, number in found.items() if number > UNKNOWN[name.split()[0]]} == set()


def test_no_page_takes_more_statements_for_more_rows(staff: Client) -> None:
    rows.make_rows(2)
    few = counted(staff)
    rows.make_rows(4)
    assert counted(staff) == few
