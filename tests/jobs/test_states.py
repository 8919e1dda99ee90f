"""The table of transitions, held on every pair of statuses by the database, by callback and against the contract."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pgtrigger
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from uuid6 import uuid7

from config.api.errors import ApiError
from jobs import states
from jobs.models import AuditEvent, Job
from jobs.services.audit import Attribution
from jobs.services.callbacks import StatusReport, apply_callback
from jobs.services.transitions import move_job
from jobs.states import ActorType, JobStatus
from tests import contract
from tests.factories import DRAFT, TRANSCRIPT, force, make_job


def test_the_table_is_the_contracts() -> None:
    assert tuple(JobStatus) == contract.STATUSES
    assert states.pairs() == set(contract.PAIRS)


def test_who_may_make_each_transition_is_the_contracts() -> None:
    actors = {
        contract.OWNER: {ActorType.EDITOR},
        contract.RETRY: {ActorType.EDITOR, ActorType.STAFF},
        contract.CALLBACK: {ActorType.ORCHESTRATOR, ActorType.SYSTEM},
        contract.SYSTEM: {ActorType.SYSTEM},
        contract.STAFF: {ActorType.STAFF},
    }
    for (source, target), who in contract.PAIRS.items():
        found = {
            actor
            for row in states.TRANSITIONS
            if source in row.sources and row.target == target
            for actor in row.actor_types
        }
        assert found == {actor for name in who for actor in actors[name]}, (source, target)


def test_the_sets_of_statuses_are_the_contracts() -> None:
    assert set(contract.TERMINAL) == states.TERMINAL
    assert contract.PROCESSING == states.PROCESSING
    assert tuple(contract.CHECKPOINTS) == (*states.CHECKPOINTS, JobStatus.UPLOADED)


def test_every_verb_is_a_transition_of_the_model() -> None:
    assert {
        transition.name for transition in Job(status=JobStatus.CREATED).get_all_status_transitions()
    } == set(states.VERBS)


@pytest.mark.parametrize("source", JobStatus)
def test_the_database_itself_refuses_what_the_table_does_not_allow(db: None, source: JobStatus) -> None:
    job = make_job()
    for target in JobStatus:
        force(job, source)
        allowed = target in contract.targets(source) or target == source
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("UPDATE jobs_job SET status = %s WHERE id = %s", [target, job.pk])
            done = True
        except DatabaseError:
            done = False
        assert done == allowed, f"{source} -> {target}"


def test_the_database_refuses_a_status_that_is_none(db: None) -> None:
    job = make_job()
    with (
        pgtrigger.ignore("jobs.Job:job_status_table"),
        pytest.raises(DatabaseError, match="job_status_known"),
        transaction.atomic(),
    ):
        Job.objects.filter(pk=job.pk).update(status="ODD")


@pytest.mark.parametrize("source", JobStatus)
def test_a_callback_moves_only_what_is_the_callbacks(db: None, source: JobStatus) -> None:
    for target in JobStatus:
        job = force(make_job(), source)
        failed = target == JobStatus.FAILED
        allowed = contract.targets(source, contract.CALLBACK)
        report = StatusReport(
            event_id=str(uuid7()),
            status=target,
            occurred_at=datetime.now(UTC),
            correlation_id="c",
            actor_type=ActorType.ORCHESTRATOR,
            artifact_updates={"draft": DRAFT}
            if target == JobStatus.DRAFT_READY
            else {"transcript": TRANSCRIPT},
            failure={"failure_code": "X", "failure_message": "x", "failed_stage": "x"} if failed else None,
            payload_sha256="0" * 64,
        )
        before = AuditEvent.objects.filter(job=job).count()
        if target in allowed:
            assert apply_callback(job_id=job.pk, report=report) is None
            job = Job.objects.get(pk=job.pk)
            assert (job.status, AuditEvent.objects.filter(job=job).count()) == (target, before + 1)
            continue
        with pytest.raises(ApiError) as refused:
            apply_callback(job_id=job.pk, report=report)
        job = Job.objects.get(pk=job.pk)
        assert (job.status, AuditEvent.objects.filter(job=job).count()) == (source, before)
        assert refused.value.code == (
            "FSM_TERMINAL_IMMUTABLE" if source in contract.TERMINAL else "FSM_TRANSITION_INVALID"
        )
        assert refused.value.details == {
            "current_status": source,
            "attempted_status": target,
            "allowed_next_statuses": [one for one in JobStatus if one in allowed],
        }


@pytest.mark.parametrize("verb", states.VERBS)
def test_the_service_makes_exactly_the_transitions_of_the_table(db: None, verb: str) -> None:
    job = make_job()
    for source, target in product(JobStatus, repeat=2):
        single = len({row.target for row in states.rows(verb)}) == 1
        if single and states.rows(verb)[0].target != target:
            continue
        job = force(job, source)
        allowed = any(source in row.sources and row.target == target for row in states.rows(verb))
        try:
            with transaction.atomic():
                move_job(job, verb, by=Attribution(ActorType.SYSTEM), target=None if single else target)
            done = True
        except ApiError:
            done = False
        job = Job.objects.get(pk=job.pk)
        assert (done, job.status) == (allowed, target if allowed else source), f"{verb}: {source} -> {target}"


def test_every_status_column_has_a_check_in_the_database(db: None) -> None:
    columns = {
        (model._meta.db_table, field.column)
        for app in ("jobs", "instructions", "anchors", "exports")
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.concrete_fields
        if field.name == "status" or field.name.endswith("_status")
    }
    assert ("jobs_job", "status") in columns and len(columns) > 6
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.constraint_column_usage"
            " JOIN information_schema.check_constraints USING (constraint_name)"
        )
        checked = set(cursor.fetchall())
    assert columns <= checked, columns - checked
