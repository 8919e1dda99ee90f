"""The background work of this app: what a worker loads."""

from __future__ import annotations

from datetime import timedelta

from anchors.models import RedactionRun, ScreenshotTask
from anchors.services import redactions, taking
from anchors.services.tickets import PICTURES
from config.work.lanes import Lane
from config.work.registry import register
from config.work.sweep import register_sweep

register(
    RedactionRun,
    perform=redactions.perform_redactions,
    on_failure=redactions.fail_redactions,
    lanes=[Lane.MEDIA],
    time_limit=timedelta(minutes=60),
)
register(
    ScreenshotTask,
    perform=taking.perform_extraction,
    on_failure=taking.fail_extraction,
    lanes=[Lane.MEDIA],
    time_limit=timedelta(minutes=15),
)
register_sweep(PICTURES.close_old)
