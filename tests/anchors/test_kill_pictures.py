"""A worker killed between each two steps of taking pictures, of redacting them, and of looking at the video.

After each kill the sweep has another one go on. Of one task there is one picture, of a picture one rendering, and what
is hidden is given to nobody in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from PIL import Image

from anchors.models import Anchor, Asset, Redaction, RedactionRun, ScreenActivity, ScreenshotTask
from anchors.services.job_hooks import watch_video
from config.storage import kept_folder, storage
from instructions.queries import read_steps
from jobs.models import Artifact, AuditEvent, Job
from jobs.services.transitions import lock_job
from jobs.states import JobStatus
from tests.anchors.redacting import REGION
from tests.anchors.videos import number_of, write_video
from tests.desk import BLUR
from tests.elapsed import recover
from tests.factories import Api, make_anchor, make_job, make_user, work_off
from tests.jobs.killer import Killer, after_each_step, killing

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

WORK = {"work": True}


@pytest.fixture
def api(settings: Any) -> Api:
    settings.THROTTLE_RATE = None
    return Api(make_user("owner"))


@pytest.fixture
def killer(api: Api, settings: Any) -> Iterator[Killer]:
    with killing("http://127.0.0.1:9", settings.STEPWRIGHT_STORAGE_URL) as running:
        yield running


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "numbered.mp4")


def filmed(api: Api, video: Path, status: JobStatus = JobStatus.EDITING) -> Job:
    """A job with a document and a video of 6 s, whose frames carry their number, ten a second."""
    job = make_job(status, owner=api.user)
    stored = storage().save_file(kept_folder(job.pk), video, suffix="")
    data = {"duration_ms": 6_000}
    Artifact.objects.create(job=job, kind="video", version=2, uri=stored.uri, sha256=stored.sha256, data=data)
    return job


def extract(api: Api, job: Job, anchor: Anchor, at_ms: int) -> str:
    version = str(anchor.instruction_version_id)
    body = {"instruction_version_id": version, "timestamp_ms": at_ms}
    answer = api.post(f"/anchors/{anchor.pk}/replace", body)
    assert answer.status_code == 202, answer.content
    return str(answer.json()["task_id"])


def picture_of(asset: Asset) -> int:
    with storage().open(asset.uri) as file, Image.open(file) as image:
        return number_of(image.convert("RGB"))


def events(job: Job, event_type: str) -> int:
    return AuditEvent.objects.filter(job=job, event_type=event_type).count()


def test_a_worker_that_is_killed_while_it_takes_pictures(api: Api, killer: Killer, video: Path) -> None:
    """Two that lie close, which are taken by one pass, and a far one."""
    asked: dict[UUID, list[str]] = {}

    def make() -> Job:
        job = filmed(api, video)
        anchor = make_anchor(job)
        asked[job.pk] = [extract(api, job, anchor, at) for at in (1_000, 2_000)]
        return job

    def check(job: Job) -> None:
        for task in ScreenshotTask.objects.filter(job=job):
            assert (task.asset is not None) is (task.status == "SUCCEEDED")
        assert Asset.objects.filter(job=job).count() == events(job, "SCREENSHOT_TAKEN")
        recover()
        tasks = ScreenshotTask.objects.in_bulk(asked[job.pk])
        found = [tasks[UUID(task_id)] for task_id in asked[job.pk]]
        assert [task.status for task in found] == ["SUCCEEDED"] * 2
        assert [picture_of(task.asset) for task in found if task.asset] == [10, 20]
        versions = Asset.objects.filter(job=job).order_by("version").values_list("version", flat=True)
        assert list(versions) == [1, 2]
        assert Anchor.objects.get(instruction__job=job).active_asset in [task.asset for task in found]
        assert events(job, "SCREENSHOT_TAKEN") == 2

    assert after_each_step(killer, make, lambda job: WORK, check) >= 15


def test_a_worker_that_is_killed_while_it_redacts(api: Api, killer: Killer, video: Path) -> None:
    """A frame and what is drawn on it; at no time is either given to anybody as it was."""
    bare: dict[UUID, list[Asset]] = {}

    def make() -> Job:
        job = filmed(api, video)
        anchor = make_anchor(job)
        extract(api, job, anchor, 1_000)
        work_off()
        frame = Asset.objects.get(job=job)
        body = {"base_asset_id": str(frame.pk), "operations": [BLUR]}
        assert api.post(f"/anchors/{anchor.pk}/annotations", body).status_code == 200
        bare[job.pk] = list(Asset.objects.filter(job=job).order_by("created_at"))
        redaction = {"start_ms": 0, "end_ms": 3_000, "region": REGION, "mode": "solid"}
        assert api.post(f"/jobs/{job.pk}/redactions", redaction).status_code == 201
        return job

    def assert_hidden(job: Job) -> None:
        for asset in bare[job.pk]:
            answer = api.get(f"/assets/{asset.pk}/content")
            assert answer.status_code in (200, 302, 404, 503)
            if answer.status_code == 200:
                assert b"".join(answer.streaming_content) != storage().open(asset.uri).read()

    def check(job: Job) -> None:
        assert_hidden(job)
        recover()
        assert_hidden(job)
        assert RedactionRun.objects.get(job=job).status == "SUCCEEDED"
        renderings = Asset.objects.filter(job=job, redacts__isnull=False)
        assert sorted(each.redacts_id for each in renderings) == sorted(each.pk for each in bare[job.pk])
        assert not renderings.filter(is_concealed=True).exists()
        shown = Anchor.objects.get(instruction__job=job).active_asset
        assert shown == renderings.get(redacts=bare[job.pk][1])
        assert Redaction.objects.filter(job=job).count() == events(job, "PICTURES_REDACTED") == 1

    assert after_each_step(killer, make, lambda job: WORK, check) >= 15


def test_a_worker_that_is_killed_while_it_looks_at_the_video(api: Api, killer: Killer, video: Path) -> None:
    def make() -> Job:
        job = filmed(api, video, JobStatus.DRAFT_READY)
        with transaction.atomic():
            watch_video(lock_job(job.pk), makes_pictures=True)
        return job

    def check(job: Job) -> None:
        recover()
        work_off()
        assert ScreenActivity.objects.get(job=job).status == "SUCCEEDED"
        version = job.instruction.versions.latest("version")
        steps = read_steps(api.user, version.instruction_id, version.version)
        anchors = [anchor_id for step in steps for anchor_id in step.anchor_ids]
        assert len(anchors) == len(steps) == Anchor.objects.filter(instruction__job=job).count() > 0
        tasks = ScreenshotTask.objects.filter(job=job)
        assert [task.status for task in tasks] == ["SUCCEEDED"] * len(steps)
        assert Asset.objects.filter(job=job).count() == len(steps) == events(job, "SCREENSHOT_TAKEN")
        assert not Anchor.objects.filter(instruction__job=job, active_asset=None).exists()
        assert Job.objects.get(pk=job.pk).status == "DRAFT_READY"

    assert after_each_step(killer, make, lambda job: WORK, check) >= 15
