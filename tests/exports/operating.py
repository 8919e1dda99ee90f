"""What the tests of the operators' commands on exports start from, and how they call them."""

from __future__ import annotations

import io
import json
from typing import Any

from django.core.management import call_command

from config.accounts.models import User
from jobs.models import Job
from jobs.states import JobStatus
from tests.factories import force, make_anchor, make_asset, make_job


def finished_job(owner: User, *, has_picture: bool = False) -> Job:
    """A job that is DONE, whose guide has never been exported."""
    job = make_job(JobStatus.EDITING, owner=owner)
    if has_picture:
        make_asset(job, anchor=make_anchor(job))
    return force(job, JobStatus.DONE)


def call(command: str, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Return the exit status, the JSON on stdout, and what was said on stderr."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    try:
        call_command(command, *arguments, "--json", stdout=out, stderr=err)
    except SystemExit as ended:
        status = int(str(ended.code))
    report: dict[str, Any] = json.loads(out.getvalue())
    assert report["exit_status"] == status
    return status, report, err.getvalue()
