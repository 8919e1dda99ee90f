"""A worker killed between each two steps of finding what should be hidden in a job's video.

After each kill the sweep has another one go on. What is found is suggested once and hidden once, and a picture of a job
that asked for it is shown only when all that is hidden in it is.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from anchors.models import Asset, Redaction, RedactionSuggestion, SensitiveSearch
from anchors.services.job_hooks import search_video
from jobs.models import Job
from jobs.states import JobStatus
from tests.anchors.filmed import assert_every_file_has_its_row, events, extract, filmed
from tests.anchors.sensitive.pages import MAIL, page
from tests.anchors.videos import write_video
from tests.elapsed import recover
from tests.factories import Api, work_off
from tests.jobs.killer import Killer, after_each_step

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True), pytest.mark.timeout(1_800)]

WORK = {"work": True}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "mail.mp4"
    return write_video(path, pts=range(0, 2_000, 100), pictures=[page(MAIL)] * 20)


def test_a_worker_that_is_killed_while_it_searches_a_video(api: Api, killer: Killer, video: Path) -> None:
    def check(job: Job) -> None:
        shown = Asset.objects.filter(job=job, is_concealed=False)
        assert not shown.filter(is_redacted=False).exists()
        found, hidden = RedactionSuggestion.objects.filter(job=job), Redaction.objects.filter(job=job)
        assert found.count() == hidden.count() == int(SensitiveSearch.objects.get(job=job).is_decided)
        recover()
        work_off()
        assert SensitiveSearch.objects.get(job=job).status == "SUCCEEDED"
        assert found.count() == hidden.count() == events(job, "REDACTION_ADDED") == 1
        assert [asset.is_redacted for asset in shown.all()] == [True]
        assert_every_file_has_its_row(job)

    def make() -> Job:
        signed_in = Api(api.user)  # a token does not last as long as this test
        job = filmed(signed_in, video, JobStatus.EDITING)
        Job.objects.filter(pk=job.pk).update(options={**job.options, "auto_redact": True})
        extract(signed_in, job, 1_000)
        job = Job.objects.get(pk=job.pk)
        search_video(job)
        return job

    assert after_each_step(killer, make, lambda job: WORK, check) >= 40
