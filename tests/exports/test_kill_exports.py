"""A worker killed between each two steps of an export: after the claim, the rendering, the keeping of the bytes, and
before the commit. After each kill the sweep has another one go on. Of one export there is one artifact."""

from __future__ import annotations

import hashlib

import pytest

from config.storage import storage
from exports.models import Export
from jobs.models import Artifact, Job
from jobs.states import JobStatus
from tests.anchors.filmed import assert_every_file_has_its_row, events
from tests.elapsed import recover
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
        export = Export.objects.get(job=job)
        is_over = export.status == "SUCCEEDED"
        assert (status_of(job), bool(export.artifact_uri)) == ("DONE" if is_over else "EXPORTING", is_over)
        assert Artifact.objects.filter(job=job, kind="export").count() == int(is_over)
        recover()
        export.refresh_from_db()
        assert (export.status, export.retries, status_of(job)) == ("SUCCEEDED", 0, "DONE")
        assert export.losses <= 1
        content = storage().open(export.artifact_uri).read()
        assert hashlib.sha256(content).hexdigest() == export.artifact_sha256
        assert Artifact.objects.filter(job=job, kind="export").count() == 1
        assert Job.objects.get(pk=job.pk).manifest["exports"] == [export.artifact_uri]
        assert events(job, "EXPORT_REQUESTED") == 1 == events(job, "EXPORT_SUCCEEDED")
        assert events(job, "EXPORT_STARTED") <= 2 and events(job, "EXPORT_FAILED") == 0
        assert_every_file_has_its_row(job)

    assert after_each_step(killer, make, lambda job: WORK, check) >= 20
