"""The background work of this app, and its stage of the local pipeline: what a worker loads."""

from __future__ import annotations

from datetime import timedelta

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
    time_limit=timedelta(minutes=10),
)

hooks.STAGES["GENERATING"] = stages.generate_stage
