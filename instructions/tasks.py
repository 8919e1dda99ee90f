"""The background work of this app, and its stage of the local pipeline: what a worker loads."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from config.work.lanes import Lane
from config.work.registry import register
from instructions import stages
from instructions.models import RegenerateTask
from instructions.services import rewriting
from jobs import hooks

register(
    RegenerateTask,
    perform=rewriting.perform_regeneration,
    on_failure=rewriting.fail_regeneration,
    lanes=[Lane.LANGUAGE],
    # A model is asked at most twice. The rest is for the waits that a busy service asks for, and for the document.
    time_limit=timedelta(minutes=10, seconds=2 * settings.LLM_TIMEOUT_SECONDS),
)

hooks.STAGES["GENERATING"] = stages.generate_stage
