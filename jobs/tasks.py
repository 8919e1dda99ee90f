"""The background work of this app, and its stages of the local pipeline: what a worker loads."""

from __future__ import annotations

from datetime import timedelta

import dramatiq
from django.conf import settings

from config.work.lanes import Lane
from config.work.registry import register
from config.work.sweep import register_sweep
from jobs import hooks, pipeline, stages
from jobs.models import Dispatch, PipelineRun
from jobs.services import deletion, dispatches, messages, timeouts, unused_files
from jobs.services.tickets import RECORDINGS

register(
    Dispatch,
    perform=dispatches.resend_dispatch,
    on_failure=dispatches.leave_unanswered,
    lanes=[Lane.CONTROL],
    time_limit=timedelta(minutes=1),
)
register(
    PipelineRun,
    perform=pipeline.perform_run,
    on_failure=pipeline.fail_run,
    lanes=[Lane.SPEECH, Lane.BACKFILL],
    time_limit=timedelta(minutes=settings.JOB_TIMEOUT_MINUTES),
)
hooks.STAGES["AUDIO_EXTRACTING"] = stages.extract_stage
hooks.STAGES["TRANSCRIBING"] = stages.transcribe_stage
register_sweep(timeouts.time_out_silent_jobs)
register_sweep(timeouts.give_up_unanswered_dispatches)
register_sweep(deletion.remove_files_of_deleted_jobs)
register_sweep(RECORDINGS.close_old)
register_sweep(unused_files.remove_unused_files)


@dramatiq.actor(queue_name=Lane.CONTROL, time_limit=20_000)
def tell_cancelled(dispatch_id: str, job_id: str, correlation_id: str) -> None:
    messages.tell_cancelled(dispatch_id, job_id, correlation_id)
