"""`manage.py backfill_exports`: have the guides of finished jobs rendered by the present renderers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from uuid6 import uuid7

from exports.management.options import (
    ALL_DONE,
    EXIT_STATUS,
    INTERRUPTED,
    SOME_FAILED,
    USAGE,
    ExportsCommand,
    add_bounds,
    add_selection,
    bounded,
    read_selection,
    stopped_by_signals,
)
from exports.management.reporting import print_report, showing
from exports.services.backfill import Backfill, Pace
from exports.services.reports import Report
from exports.services.selection import Selection, estimate
from jobs.models import Job
from jobs.states import JobStatus

HELP = f"""\
Have the newest version of the guide of each job that is DONE exported in each format. Jobs in other statuses are
left alone: an export of theirs would end a job that its editor is still at.

What is there already is not made again: the same version, pictures, format and renderer are the same export. So a
run may be stopped (Ctrl-C) and started again; exports that failed are tried again. Rendering is done by workers of
the lane export_backfill (manage.py work export_backfill:2), which serves nobody else, and counts into no limit of an
owner's but the quota, of which a tenth is left free. After Ctrl-C, what was asked for is still done by the workers.
{EXIT_STATUS}"""


class Command(ExportsCommand):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        add_selection(
            parser,
            span_of="of jobs created in this span",
            made_by="only where the last export of the format was made by such a renderer: pdf-2 renders again what "
            "pdf-2 made",
        )
        add_bounds(
            parser,
            limit="ask for N new exports at most",
            concurrency="have N open at once at most, waiting or running",
            usual=64,
            most=256,
        )
        parser.add_argument(
            "--only-missing",
            action="store_true",
            help="pass over a version that the present renderer has exported, also if its pictures changed since; "
            "much faster on what is there",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="ask for nothing; count what would be, without looking whether pictures have changed",
        )
        parser.add_argument(
            "--rate",
            type=bounded(0, 10**6),
            default=600,
            metavar="N",
            help="ask for N new ones a minute at most (600); 0: as many as are done",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        selection = read_selection(options)
        _require_done(selection)
        report = Report("backfill_exports", f"backfill-{uuid7()}", is_dry=options["dry_run"])
        total = estimate(selection.jobs()) * len(selection.formats)
        with stopped_by_signals() as stopped, showing(report, total, self.stderr) as shown:
            Backfill(
                selection,
                Pace(options["concurrency"], options["rate"], options["limit"]),
                report,
                only_missing=options["only_missing"],
                stopped=stopped,
                advance=shown.advance,
                say=shown.say,
            ).run()
        status = _exit_status(report)
        print_report(report, self.stdout, status=status, as_json=options["json"])
        if status:
            raise SystemExit(status)


def _require_done(selection: Selection) -> None:
    """Raise CommandError (2) for one job that is named and is not DONE."""
    job = Job.objects.filter(pk=selection.job_id).first() if selection.job_id else None
    if job and job.status != JobStatus.DONE:
        raise CommandError(
            f"The job {job} is {job.status}; a backfill takes jobs that are DONE.", returncode=USAGE
        )


def _exit_status(report: Report) -> int:
    if report.ended_as == "interrupted":
        return INTERRUPTED
    return SOME_FAILED if report.total("failed", "refused", "left_open") else ALL_DONE
