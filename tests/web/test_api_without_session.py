"""The API knows no session: a cookie of the admin opens nothing there, and costs nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from config.accounts.models import User
from tests.errors import assert_shape

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    """Signed in to the admin."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("admin"), "django.contrib.auth.backends.ModelBackend")
    return browser


def test_the_api_does_not_look_at_a_session(browser: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = browser.get("/api/v1/jobs")
    assert_shape(answer, 401, "UNAUTHENTICATED")
    assert not hasattr(answer.wsgi_request, "session")


def test_other_pages_do(browser: Client) -> None:
    answer = browser.get("/admin/")
    assert answer.status_code == 200 and hasattr(answer.wsgi_request, "session")
    assert Client().get("/admin/").status_code == 302
