"""Compiled queries give what their querysets give, whatever the values are, and are prepared once a connection."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.db.models import Q

from config.accounts.models import User
from config.compiled import CompiledQuery, prepared_cursor
from jobs import queries
from jobs.models import Artifact, Job
from jobs.states import JobStatus
from tests.factories import make_job, make_run, make_user
from tests.pool import pooled

pytestmark = pytest.mark.django_db

BY_NAME = CompiledQuery(
    lambda name, owner: User.objects.filter(~Q(subject="100%s %(name)s"), username=name, pk=owner).order_by(
        "pk"
    ),
    {"name": str, "owner": UUID},
)


def prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("name", ["plain", "it's", "%s", "%(owner)s", "\\", "'; DROP TABLE jobs_job; --", ""])
def test_it_gives_what_the_queryset_gives(name: str) -> None:
    user = User.objects.create(username=name, subject=str(uuid4()))
    for _ in range(7):  # from the sixth on, PostgreSQL may have a plan for all values
        assert BY_NAME.first(name=name, owner=user.pk) == user
    assert BY_NAME.first(name=name, owner=uuid4()) is None
    found = BY_NAME.first(name=name, owner=user.pk)
    fields = [field.attname for field in User._meta.concrete_fields]
    assert [getattr(found, field) for field in fields] == [getattr(user, field) for field in fields]


def test_rows_have_the_annotations_and_converters_of_the_queryset() -> None:
    for job in (make_job(JobStatus.DRAFT_READY, title="Ünïcode"), make_run().job):
        row = queries.read_job(job.owner, str(job.pk))
        expected = queries.as_read(Job.objects.filter(pk=job.pk)).get()
        assert row == tuple(expected) and row._fields == expected._fields
        assert isinstance(row.manifest, dict) and isinstance(row.options, dict)


@pytest.mark.parametrize("number", [0, 1, 2**15, 2**31 - 1, 0x5EED0000])
def test_a_whole_number_of_any_size_is_a_value(number: int) -> None:
    query = CompiledQuery(
        lambda version: Artifact.objects.filter(version=version, kind="number").values_list(
            "uri", named=True
        ),
        {"version": int},
    )
    job = make_job()
    for version in (number, 7):
        job.artifacts.create(kind="number", version=version, uri=str(version))
    assert [row.uri for row in query.rows(9, version=number)] == [str(number)]
    assert query.first(version=5) is None


def test_a_statement_is_prepared_once() -> None:
    owner = make_user()
    before = prepared()
    for _ in range(10):
        BY_NAME.first(name="name", owner=owner.pk)
    assert prepared() == before + 1
    list(User.objects.filter(username="name"))
    assert prepared() == before + 1, "others are not"


def test_a_rollback_does_not_harm_what_is_prepared() -> None:
    user = make_user("somebody")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            assert BY_NAME.first(name=user.username, owner=user.pk) == user
            raise ZeroDivisionError
    assert BY_NAME.first(name=user.username, owner=user.pk) == user


@pytest.mark.django_db(transaction=True)
def test_each_connection_of_a_pool_prepares_its_own() -> None:
    user = make_user("somebody")
    with pooled(min_size=3, max_size=3):
        for _ in range(9):
            assert BY_NAME.first(name=user.username, owner=user.pk) == user
            connection.close()


@pytest.mark.parametrize(
    ("build", "types"),
    [
        (lambda owner: Job.objects.all(), {"owner": UUID}),
        (lambda name: User.objects.filter(username=name.upper()), {"name": str}),
    ],
    ids=["not used", "changed"],
)
def test_a_value_that_is_not_in_the_statement_is_refused(build: Any, types: dict[str, type]) -> None:
    """It would stay what it was when the statement was made."""
    with pytest.raises(ValueError, match="is a parameter of"):
        CompiledQuery(build, types).first(**dict.fromkeys(types, uuid4()))


def test_a_log_of_statements_has_their_values(django_assert_num_queries: Any) -> None:
    user = make_user()
    with django_assert_num_queries(1) as seen:
        BY_NAME.first(name="a name", owner=user.pk)
    assert "'a name'" in seen.captured_queries[0]["sql"]


def test_errors_are_those_of_django() -> None:
    from django.db import ProgrammingError

    with pytest.raises(ProgrammingError), transaction.atomic():
        prepared_cursor().execute("SELECT nothing_of_this_name", [])
