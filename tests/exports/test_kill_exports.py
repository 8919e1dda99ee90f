"""A worker killed between each two steps of an export: after the claim, the rendering, the keeping of the bytes, and
before the commit. After each kill the sweep has another one go on. Of one export there is one artifact, also when some
were begun and ended together."""

from __future__ import annotations

import hashlib

import pytest

from config.storage import storage
from config.work.lanes import Lane
from exports.models import Export
from exports.services.bulk_requests import request_all
from exports.services.selection import Wanted
from jobs.models import Artifact, Job
from jobs.states import JobStatus
from tests.anchors.filmed import assert_every_file_has_its_row, events
from tests.elapsed import recover
from tests.exports.operating import finished_job
from tests.factories import Api, make_anchor, make_asset, make_job
from tests.jobs.killer import Killer, after_each_step
from tests.jobs.seen import status_of

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

WORK = {"work": True}


def ask(api: Api, job: Job, format: str) -> None:
    version = job.instruction.versions.latest("version")
    body = {"format": format, "instruction_version_id": str(version.pk)}
    answer = api.post(f"/jobs/{job.pk}/exports", body)
    assert answer.status_code == 202, answer.content


@pytest.mark.parametrize("format", ["MD_ZIP", "PDF"])
def test_a_worker_that_is_killed_while_it_exports(api: Api, killer: Killer, format: str) -> None:
    def make() -> Job:
        job = make_job(JobStatus.EDITING, owner=api.user)
        make_asset(job, anchor=make_anchor(job))
        ask(api, job, format)
        return job

    def check(job: Job) -> None:
        is_over = Export.objects.get(job=job).status == "SUCCEEDED"
        assert status_of(job) == ("DONE" if is_over else "EXPORTING")
        assert_made_once(job)
        assert status_of(job) == "DONE"

    assert after_each_step(killer, make, lambda job: WORK, check) >= 20


def test_a_worker_that_is_killed_amid_those_of_a_backfill(api: Api, killer: Killer) -> None:
    made: list[Job] = []

    def make() -> Job:
        made[:] = [finished_job(api.user, has_picture=True) for _ in range(3)]
        versions = [job.instruction.versions.latest("version") for job in made]
        wanted = [Wanted(job, version, "MD_ZIP") for job, version in zip(made, versions, strict=True)]
        request_all(wanted, correlation_id="run")
        return made[0]

    def check(_: Job) -> None:
        ended = {Export.objects.get(job=job).status == "SUCCEEDED" for job in made}
        assert len(ended) == 1, "they are written together"
        for job in made:
            assert_made_once(job)
            assert status_of(job) == "DONE"

    assert after_each_step(killer, make, lambda job: {"lane": Lane.EXPORT_BACKFILL}, check) >= 25


def assert_made_once(job: Job) -> None:
    """The one export of the job has all of its results or none, and all after the sweep, with at most one loss."""
    export = Export.objects.get(job=job)
    is_over = export.status == "SUCCEEDED"
    assert bool(export.artifact_uri) == is_over
    assert Artifact.objects.filter(job=job, kind="export").count() == int(is_over)
    recover()
    export.refresh_from_db()
    assert (export.status, export.retries) == ("SUCCEEDED", 0)
    assert export.losses <= 1
    content = storage().open(export.artifact_uri).read()
    assert hashlib.sha256(content).hexdigest() == export.artifact_sha256
    assert Artifact.objects.filter(job=job, kind="export").count() == 1
    assert Job.objects.get(pk=job.pk).manifest["exports"] == [export.artifact_uri]
    assert events(job, "EXPORT_REQUESTED") == 1 == events(job, "EXPORT_SUCCEEDED")
    assert events(job, "EXPORT_STARTED") <= 2 and events(job, "EXPORT_FAILED") == 0
    assert_every_file_has_its_row(job)
