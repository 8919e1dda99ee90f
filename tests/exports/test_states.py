"""The export's table of transitions, held on every pair of statuses by the database itself."""

from __future__ import annotations

from itertools import product

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction

from exports import states
from exports.models import Export
from exports.states import ExportStatus
from jobs.states import JobStatus
from tests.factories import make_export, make_job

TRIGGERS = ("exports.Export:export_status_table", "exports.Export:export_frozen")
CONTRACT = {
    ("REQUESTED", "RUNNING"),
    ("REQUESTED", "FAILED"),
    ("RUNNING", "SUCCEEDED"),
    ("RUNNING", "FAILED"),
    ("RUNNING", "REQUESTED"),
    ("FAILED", "REQUESTED"),
}


def set_status(export: Export, status: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE exports_export SET status = %s WHERE id = %s", [status, export.pk])


def is_let_through(export: Export, target: str) -> bool:
    try:
        with transaction.atomic():
            set_status(export, target)
    except DatabaseError:
        return False
    return True


def test_the_table_and_the_statuses_are_the_contracts() -> None:
    assert set(states.pairs()) == CONTRACT
    assert tuple(ExportStatus) == (Export.WAITING, Export.RUNNING, Export.SUCCEEDED, Export.FAILED)


def test_the_database_refuses_what_the_table_does_not_allow(db: None) -> None:
    export = make_export(make_job(JobStatus.EDITING))
    for source, target in product(ExportStatus, repeat=2):
        with pgtrigger.ignore(*TRIGGERS):
            set_status(export, source)
        # A row that keeps its status is written by heartbeats; one that has succeeded by nobody.
        allowed = (source, target) in CONTRACT or source == target != ExportStatus.SUCCEEDED
        assert is_let_through(export, target) == allowed, f"{source} -> {target}"


def test_without_its_trigger_the_database_lets_a_wrong_change_through(db: None) -> None:
    export = make_export(make_job(JobStatus.EDITING), status=ExportStatus.FAILED)
    assert not is_let_through(export, ExportStatus.SUCCEEDED)
    with pgtrigger.ignore(TRIGGERS[0]):
        assert is_let_through(export, ExportStatus.SUCCEEDED)


@pytest.mark.parametrize("status", ExportStatus)
def test_a_status_that_is_none_is_refused(db: None, status: ExportStatus) -> None:
    export = make_export(make_job(JobStatus.EDITING), status=status)
    with (
        pgtrigger.ignore(*TRIGGERS),
        pytest.raises(DatabaseError, match="export_status_known"),
        transaction.atomic(),
    ):
        set_status(export, "ODD")
