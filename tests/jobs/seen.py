"""What the database says of a job."""

from __future__ import annotations

from django.db import connection

from jobs.models import AuditEvent, Job


def status_of(job: Job) -> str:
    return str(Job.objects.get(pk=job.pk).status)


def count_events(job: Job, event_type: str) -> int:
    return AuditEvent.objects.filter(job=job, event_type=event_type).count()


def told_to_cancel(job: Job) -> int:
    """How many times a worker was asked to tell the orchestrator."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM dramatiq.queue WHERE message->>'actor_name' = 'tell_cancelled'"
            " AND message->'args'->>1 = %s",
            [str(job.pk)],
        )
        return int(cursor.fetchone()[0])
