"""A job's executions: the sending to an orchestrator, and the performing by our own workers."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from config.work.lanes import Lane
from config.work.models import WorkRow, work_indexes
from jobs import states
from jobs.models.jobs import Job
from jobs.states import ActorType, JobStatus


class Dispatch(WorkRow):
    """The sending of one execution of the pipeline to an orchestrator, and what became of it.

    Sending is work: whoever sends holds a lease, and when it runs out a worker sends again, under the same id.

        PENDING     to be sent (again) by a worker
        SENDING     held by whoever sends it at this moment
        UNANSWERED  sent, and no answer came: the orchestrator may have begun; not sent again by itself any more
        ACCEPTED    the orchestrator took it, and works
        REFUSED     it did not take it; asked for again, the dispatch is opened again
        CLOSED      the execution has ended
    """

    RUNNING = SENDING = "SENDING"
    SUCCEEDED = ACCEPTED = "ACCEPTED"
    FAILED = REFUSED = "REFUSED"
    UNANSWERED = "UNANSWERED"
    CLOSED = "CLOSED"
    OPEN = ("PENDING", SENDING, UNANSWERED, ACCEPTED)

    class Kind(models.TextChoices):
        RUN = "run"
        RETRY = "retry"

    lane = models.CharField(max_length=16, default=Lane.CONTROL)
    job = models.ForeignKey(Job, models.CASCADE, related_name="dispatches")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    orchestrator = models.CharField(max_length=8)
    requested_by = models.CharField(max_length=64, default="", blank=True)
    requested_as = models.CharField(max_length=16, choices=ActorType.choices, default=ActorType.EDITOR)
    reason = models.CharField(max_length=500, default="", blank=True)  # that staff gave
    accepted_at = models.DateTimeField(null=True)
    # Of a retry: what the caller sent, and where the job goes on.
    client_request_id = models.CharField(max_length=128, default="", blank=True)
    model_profile = models.CharField(max_length=64, default="", blank=True)
    resume_from_status = models.CharField(max_length=16, default="", blank=True)
    checkpoint_ref = models.CharField(max_length=2048, default="", blank=True)

    class Meta:
        verbose_name_plural = "dispatches"
        indexes = [
            *work_indexes("dispatch", running="SENDING"),
            models.Index(
                fields=["owner"],
                condition=Q(status__in=["PENDING", "SENDING", "UNANSWERED", "ACCEPTED"]),
                name="open_dispatches",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "SENDING", "UNANSWERED", "ACCEPTED", "REFUSED", "CLOSED"]),
                name="dispatch_status_known",
            ),
            models.CheckConstraint(
                condition=Q(resume_from_status__in=["", JobStatus.UPLOADED, *states.CHECKPOINTS]),
                name="dispatch_checkpoint_known",
            ),
            models.UniqueConstraint(
                fields=["job"],
                condition=Q(status__in=["PENDING", "SENDING", "UNANSWERED", "ACCEPTED"]),
                name="one_open_dispatch_a_job",
            ),
            models.UniqueConstraint(fields=["job"], condition=Q(kind="run"), name="one_run_a_job"),
            models.UniqueConstraint(
                fields=["job", "client_request_id"], condition=Q(kind="retry"), name="one_retry_a_request"
            ),
        ]

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


class PipelineRun(WorkRow):
    """The performing of an accepted dispatch by our own workers: every stage that the job has before it."""

    OPEN = ("PENDING", "RUNNING")

    lane = models.CharField(max_length=16, default=Lane.BACKFILL)
    job = models.ForeignKey(Job, models.CASCADE, related_name="pipeline_runs")
    dispatch = models.OneToOneField(Dispatch, models.CASCADE, related_name="pipeline_run")

    class Meta:
        indexes = work_indexes("pipeline_run")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "RUNNING", "SUCCEEDED", "FAILED"]),
                name="pipeline_run_status_known",
            ),
            models.UniqueConstraint(
                fields=["job"], condition=Q(status__in=["PENDING", "RUNNING"]), name="one_open_run_a_job"
            ),
        ]
