"""Processes killed between each two steps of setting a redaction, of taking it back, and of drawing what it asks for.

After each kill the sweep has another worker go on. Of a picture there is one rendering, and from the moment at which a
redaction is there nobody is given what it hides.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from anchors.models import Anchor, Asset, Redaction, RedactionRun, ScreenshotTask
from config.storage import storage
from jobs.models import Job
from tests.anchors.filmed import (
    assert_every_file_has_its_row,
    events,
    filmed,
    number_in,
    replace,
    versions,
    write_numbered,
)
from tests.anchors.redacting import REGION, colours
from tests.elapsed import recover
from tests.factories import Api, make_anchor, work_off
from tests.jobs.killer import Killer, after_each_step

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

WORK = {"work": True}
REDACTION = {"start_ms": 0, "end_ms": 3_000, "region": REGION, "mode": "solid"}
BESIDE = {"op_type": "blur", "geometry": {"x": 0.0, "y": 0.0, "width": 0.2, "height": 0.2}}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_numbered(tmp_path_factory.mktemp("video"))


def pictured(api: Api, video: Path) -> Job:
    """A job with a frame of second 1, and what is drawn on it, which is active."""
    job = filmed(api, video)
    anchor = make_anchor(job)
    replace(api, anchor, 1_000)
    work_off()
    body = {"base_asset_id": str(Asset.objects.get(job=job).pk), "operations": [BESIDE]}
    assert api.post(f"/anchors/{anchor.pk}/annotations", body).status_code == 200
    return job


def redact(api: Api, job: Job) -> Job:
    answer = api.post(f"/jobs/{job.pk}/redactions", REDACTION)
    assert answer.status_code == 201, answer.content
    return job


def originals(job: Job) -> list[Asset]:
    return list(Asset.objects.filter(job=job, redacts=None).order_by("version"))


def status_of(api: Api, asset: Asset) -> int:
    """Return how its content is asked for; a client that has the bytes asks whether they are still those."""
    path = f"/assets/{asset.pk}/content"
    again = api.get(path, if_none_match=f'"{asset.checksum_sha256}"').status_code
    status = int(api.get(path).status_code)
    assert (status == 404) is (again == 404)
    return status


def assert_hidden(api: Api, job: Job) -> None:
    """No original is given, nor named, by any of the ways to a picture."""
    anchor = Anchor.objects.get(instruction__job=job)
    shown = api.get(f"/anchors/{anchor.pk}").content.decode()
    for asset in originals(job):
        assert (asset.is_concealed, status_of(api, asset)) == (True, 404)
        assert asset.checksum_sha256 not in shown and asset.uri not in shown
    given = Asset.objects.filter(job=job, is_concealed=False)
    assert {colours(str(asset.pk)) for asset in given} <= {1}


def assert_redacted_once(api: Api, job: Job) -> None:
    assert_hidden(api, job)
    run = RedactionRun.objects.get(job=job)
    assert (run.status, run.retries) == ("SUCCEEDED", 0) and run.losses <= 1
    renderings = list(Asset.objects.filter(job=job, redacts__isnull=False).order_by("version"))
    assert [each.redacts for each in renderings] == originals(job)
    assert [each.is_concealed for each in renderings] == [False] * 2
    assert [colours(str(each.pk)) for each in renderings] == [1] * 2
    anchor = Anchor.objects.get(instruction__job=job)
    assert (versions(anchor), anchor.active_asset) == ([1, 2, 3, 4], renderings[1])
    assert ScreenshotTask.objects.get(job=job).asset == renderings[0]
    assert Redaction.objects.filter(job=job).count() == events(job, "REDACTION_ADDED") == 1
    assert events(job, "PICTURES_REDACTED") == 1
    assert_every_file_has_its_row(job)


def test_a_request_for_a_redaction_that_is_killed(api: Api, killer: Killer, video: Path) -> None:
    def request(job: Job) -> dict[str, Any]:
        path = f"/api/v1/jobs/{job.pk}/redactions"
        return {"method": "POST", "path": path, "body": REDACTION, "headers": api.headers}

    def check(job: Job) -> None:
        if not Redaction.objects.filter(job=job).exists():
            assert not RedactionRun.objects.filter(job=job).exists()
            assert [status_of(api, asset) for asset in originals(job)] == [200] * 2
            redact(api, job)
        assert_hidden(api, job)
        recover()
        assert_redacted_once(api, job)

    assert after_each_step(killer, lambda: pictured(api, video), request, check) >= 10


def test_a_worker_that_is_killed_while_it_redacts(api: Api, killer: Killer, video: Path) -> None:
    def check(job: Job) -> None:
        assert_hidden(api, job)
        recover()
        assert_redacted_once(api, job)

    assert after_each_step(killer, lambda: redact(api, pictured(api, video)), lambda job: WORK, check) >= 30


@pytest.mark.both_storages
def test_a_worker_that_is_killed_while_it_takes_what_is_hidden(api: Api, killer: Killer, video: Path) -> None:
    """A frame of a span that was redacted before: no moment is there at which it is given bare."""

    def make() -> Job:
        job = redact(api, filmed(api, video))
        replace(api, make_anchor(job), 1_000)
        return job

    def check(job: Job) -> None:
        assert_hidden(api, job)
        recover()
        assert_hidden(api, job)
        anchor = Anchor.objects.get(instruction__job=job)
        frame, rendering = anchor.assets.order_by("version")
        assert (versions(anchor), rendering.redacts, number_in(frame)) == ([1, 2], frame, 10)
        task = ScreenshotTask.objects.get(job=job)
        assert (task.status, task.asset) == ("SUCCEEDED", rendering)
        assert (anchor.active_asset, rendering.is_concealed) == (rendering, False)
        assert events(job, "SCREENSHOT_TAKEN") == 1
        assert_every_file_has_its_row(job)

    assert after_each_step(killer, make, lambda job: WORK, check) >= 20


def test_a_redaction_that_is_taken_back_by_a_killed_call(api: Api, killer: Killer, video: Path) -> None:
    set_by: dict[UUID, str] = {}

    def make() -> Job:
        job = redact(api, pictured(api, video))
        work_off()
        set_by[job.pk] = f"/api/v1/redactions/{Redaction.objects.get(job=job).pk}"
        return job

    def check(job: Job) -> None:
        is_there = Redaction.objects.filter(job=job).exists()
        if is_there:
            assert_redacted_once(api, job)
        assert api.call("DELETE", set_by[job.pk]).status_code == (204 if is_there else 404)
        recover()
        frame, drawing = originals(job)
        assert [status_of(api, asset) for asset in (frame, drawing)] == [200] * 2
        assert Anchor.objects.get(instruction__job=job).active_asset == drawing
        assert ScreenshotTask.objects.get(job=job).asset == frame
        assert (
            Asset.objects.filter(job=job, is_concealed=True).count()
            == 2
            == events(job, "REDACTION_ADDED") * 2
        )
        assert events(job, "REDACTION_DELETED") == 1
        with storage().open(frame.uri) as file:
            assert file.read(4) == b"\x89PNG"

    def request(job: Job) -> dict[str, Any]:
        return {"method": "DELETE", "path": set_by[job.pk], "headers": api.headers}

    assert after_each_step(killer, make, request, check) >= 10
