"""The background work of this app: what a worker loads."""

from __future__ import annotations

from datetime import timedelta

from config.work.lanes import Lane
from config.work.registry import InBulk, register
from exports.models import Export
from exports.services import rendering

register(
    Export,
    perform=rendering.perform_export,
    on_failure=rendering.fail_export,
    lanes=[Lane.EXPORTS, Lane.EXPORT_BACKFILL],
    time_limit=timedelta(minutes=15),
    in_bulk=InBulk(
        start=rendering.start_exports,
        make=rendering.make_artifact,
        finish=rendering.finish_exports,
        finish_alone=rendering.finish_export,
    ),
)
