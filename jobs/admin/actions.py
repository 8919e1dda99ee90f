"""What staff may do to a job."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminSelectWidget
from uuid6 import uuid7

from config.admin import ReasonForm, StaffAction
from jobs import states
from jobs.models import Job
from jobs.services.audit import by_staff
from jobs.services.jobs import cancel_job, fail_job
from jobs.services.runs import dispatch_again, may_be_retried, retry_job
from jobs.states import ActorType, JobStatus


class RetryForm(ReasonForm):
    model_profile = forms.ChoiceField(
        label="Drafted by",
        choices=lambda: [(name, name) for name in settings.MODEL_PROFILES],
        widget=UnfoldAdminSelectWidget,
        help_text="The profile that drafts the instruction, if the job is not drafted yet.",
    )


def _may(job: Job, target: JobStatus) -> bool:
    return target in states.allowed_next(job.status, ActorType.STAFF)


def _cancel(job: Job, user: Any, given: dict[str, Any]) -> str:
    cancel_job(job_id=job.pk, by=by_staff(user, given["reason"]))
    return "The job is cancelled. What workers do for it ends within some seconds."


def _fail(job: Job, user: Any, given: dict[str, Any]) -> str:
    fail_job(job_id=job.pk, by=by_staff(user, given["reason"]))
    return "The job is marked as failed. It can be retried."


def _retry(job: Job, user: Any, given: dict[str, Any]) -> str:
    asked = {"client_request_id": f"support-{uuid7()}", "model_profile": given["model_profile"]}
    _, dispatch, _ = retry_job(job_id=job.pk, by=by_staff(user, given["reason"]), **asked)
    return f"The job goes on from {dispatch.resume_from_status}."


def _dispatch_again(job: Job, user: Any, given: dict[str, Any]) -> str:
    dispatch_again(job_id=job.pk, by=by_staff(user, given["reason"]))
    return "The orchestrator has taken the job."


def _waits_for_answer(job: Job) -> bool:
    return job.dispatch is not None and job.dispatch.is_open and job.dispatch.accepted_at is None


JOB_ACTIONS: tuple[StaffAction[Job], ...] = (
    StaffAction(
        name="retry",
        label="Retry the job",
        permission="jobs.retry_any_job",
        consequence="The job goes on from the last result that is still there: nothing that is done is done again.",
        is_offered=lambda job: may_be_retried(job.status, job.manifest),
        perform=_retry,
        form=RetryForm,
    ),
    StaffAction(
        name="dispatch-again",
        label="Dispatch again",
        permission="jobs.dispatch_any_job",
        consequence="The orchestrator is sent the dispatch that it has not answered once more, under the same id: if "
        "it has begun already, it begins nothing anew.",
        is_offered=_waits_for_answer,
        perform=_dispatch_again,
    ),
    StaffAction(
        name="fail",
        label="Mark as failed",
        permission="jobs.fail_any_job",
        consequence="What is being done for the job ends, and its owner may retry it.",
        is_offered=lambda job: _may(job, JobStatus.FAILED),
        perform=_fail,
        is_dangerous=True,
    ),
    StaffAction(
        name="cancel",
        label="Cancel the job",
        permission="jobs.cancel_any_job",
        consequence="The job ends and stays so: it cannot be retried. Its document can be read and not changed.",
        is_offered=lambda job: _may(job, JobStatus.CANCELLED),
        perform=_cancel,
        is_dangerous=True,
    ),
)
