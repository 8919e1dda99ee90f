"""A holder of a lock that is frozen costs others 5 s, and loses its lock after 30."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from config import embedded
from jobs.models import Job
from tests.factories import Api
from tests.races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_every_connection_of_the_service_has_the_bounds() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("5s",)
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("30s",)


def test_options_of_the_url_win() -> None:
    entry = embedded.django_database("postgresql://h/d?options=-c%20lock_timeout%3D1s")
    assert entry["OPTIONS"]["options"].endswith("-c lock_timeout=1s")
    assert "idle_in_transaction_session_timeout=30s" in entry["OPTIONS"]["options"]


def test_who_cannot_get_a_lock_is_told_to_come_again(owner: Api, job: Job) -> None:
    with transaction.atomic():
        Job.objects.select_for_update().get(pk=job.pk)
        (answer,) = at_once(1, lambda _: owner.post(f"/jobs/{job.pk}/cancel"))
    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) >= 1
    assert owner.post(f"/jobs/{job.pk}/cancel").status_code == 200
