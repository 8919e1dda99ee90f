"""Deleting a job and all that hangs on it: the one way past the append-only triggers, and its tombstone."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from config.accounts.models import User
from config.api import errors, request_id
from config.storage import folders_of, storage
from jobs import states
from jobs.models import Dispatch, Tombstone
from jobs.services.transitions import lock_job
from jobs.states import ActorType

# A worker that was still busy may write a file after the rows are gone; folders are emptied until then.
QUIET_AFTER = timedelta(hours=1)
MAX_FOLDERS = 1000  # in one sweep


def delete_job(*, job_id: UUID, user: User) -> None:
    """Delete a job's rows at once; its files go with the next sweep. Raises 409 for a job that is not over."""
    with transaction.atomic():
        job = lock_job(job_id)
        is_open = job.dispatches.filter(status__in=Dispatch.OPEN).exists()
        if job.status not in states.TERMINAL or is_open:
            raise errors.conflict(
                "FSM_TRANSITION_INVALID",
                "Only a job that is over can be deleted.",
                hint="Wait for the retry that is on its way." if is_open else "Cancel it first.",
                current_status=job.status,
                attempted_status="DELETED",
                allowed_next_statuses=states.allowed_next(job.status, ActorType.EDITOR),
            )
        Tombstone.objects.create(
            job_id=job.pk,
            project_id=job.project_id,
            owner_id=job.owner_id,
            last_status=job.status,
            created_at=job.created_at,
            deleted_by=str(user.pk),
            correlation_id=request_id.current(),
        )
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL stepwright.purge = 'on'")
        job.delete()


def remove_files_of_deleted_jobs() -> None:
    """Empty the folders of jobs that are gone; a part of the sweep."""
    due = Tombstone.objects.filter(files_removed_at=None).order_by("deleted_at")
    emptied = list(due.values_list("job_id", flat=True)[:MAX_FOLDERS])
    for job_id in emptied:
        for folder in folders_of(job_id):
            storage().delete_folder(folder)
    due.filter(job_id__in=emptied, deleted_at__lt=Now() - QUIET_AFTER).order_by().update(
        files_removed_at=Now()
    )
