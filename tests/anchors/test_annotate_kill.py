"""Annotations whose processes are killed, by SIGKILL: of one task there is one picture, whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.db import connection

from anchors.models import Anchor, Asset, ScreenshotTask
from config.storage import kept_folder, storage
from jobs.models import AuditEvent, Job
from jobs.states import JobStatus
from tests.anchors.pictures import plain
from tests.database import empty_tables
from tests.desk import BLUR
from tests.elapsed import recover
from tests.factories import Api, make_anchor, make_asset, make_job
from tests.jobs.killer import Killer, after_each_step

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True), pytest.mark.timeout(170)]

ROOT = Path(__file__).resolve().parents[2]
SIZE = (1920, 1080)
ZIGZAG = {"points": [{"x": at % 2, "y": at / 600} for at in range(600)]}
SECONDS_OF_WORK = {"op_type": "pencil", "geometry": ZIGZAG, "style": {"thickness": 0.05}}


def pictured(api: Api) -> Job:
    """A job with a picture on an anchor."""
    job = make_job(JobStatus.EDITING, owner=api.user)
    make_asset(job, anchor=make_anchor(job))
    return job


def annotation(api: Api, job: Job) -> dict[str, Any]:
    base = job.assets.get(rendered_from=None)
    body = {"base_asset_id": str(base.pk), "operations": [BLUR], "idempotency_key": "k-1"}
    headers = {**api.headers, "prefer": "respond-async"}
    path = f"/api/v1/anchors/{base.anchor_id}/annotations"
    return {"method": "POST", "path": path, "body": body, "headers": headers}


def asked(api: Api) -> Job:
    """A job whose picture is to be drawn on."""
    job = pictured(api)
    wanted = annotation(api, job)
    assert api.post(wanted["path"], wanted["body"], prefer="respond-async").status_code == 202
    return job


def assert_drawn_once(job: Job) -> None:
    task = ScreenshotTask.objects.get(job=job)
    drawn = Asset.objects.get(job=job, kind="ANNOTATED")
    assert (task.status, task.asset, task.progress_pct) == ("SUCCEEDED", drawn, 100)
    assert Anchor.objects.get(pk=task.anchor_id).active_asset == drawn
    assert AuditEvent.objects.filter(job=job, event_type="SCREENSHOT_REQUESTED").count() == 1
    assert AuditEvent.objects.filter(job=job, event_type="SCREENSHOT_ANNOTATED").count() == 1


def test_a_request_for_a_drawing_that_is_killed(api: Api, killer: Killer) -> None:
    def check(job: Job) -> None:
        is_asked = ScreenshotTask.objects.filter(job=job).exists()
        wanted = annotation(api, job)
        again = api.post(wanted["path"], wanted["body"], prefer="respond-async")
        assert again.status_code == (200 if is_asked else 202)
        recover()
        assert_drawn_once(job)

    assert after_each_step(killer, lambda: pictured(api), lambda job: annotation(api, job), check) >= 10


def test_a_drawing_worker_that_is_killed_between_its_steps(api: Api, killer: Killer) -> None:
    def check(job: Job) -> None:
        recover()
        assert_drawn_once(job)

    assert after_each_step(killer, lambda: asked(api), lambda job: {"work": True}, check) >= 15


@contextmanager
def media_worker(home: Path, storage_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker on the test's database and files, killed in the end; then the tables are emptied."""
    known = connection.settings_dict
    host = known["HOST"] or known["OPTIONS"].get("host", "")
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{known['USER']}@/{known['NAME']}?host={host}",
        "STEPWRIGHT_HOME": str(home),
        "STEPWRIGHT_STORAGE_URL": storage_url,
    }
    command = [sys.executable, "manage.py", "work", "media:1"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()
            process.wait(20)
            empty_tables()


def wait_for(holds: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def is_drawing(process: psutil.Process) -> bool:
    """Return whether a child of the worker has worked for some time."""
    return any(child.cpu_times().user > 0.4 for child in process.children(recursive=True))


def test_a_worker_that_is_killed_while_it_draws(api: Api, settings: Any, tmp_path: Path) -> None:
    job = make_job(JobStatus.EDITING, owner=api.user)
    anchor = make_anchor(job)
    stored = storage().save_bytes(kept_folder(job.pk), plain(size=SIZE), suffix=".png")
    base = Asset.objects.create(
        job=job,
        anchor=anchor,
        version=1,
        kind="UPLOADED",
        uri=stored.uri,
        checksum_sha256=stored.sha256,
        mime_type="image/png",
        width=SIZE[0],
        height=SIZE[1],
    )
    with media_worker(tmp_path, settings.STEPWRIGHT_STORAGE_URL) as worker:
        body = {"base_asset_id": str(base.pk), "operations": [SECONDS_OF_WORK] * 5}
        answer = api.post(f"/anchors/{anchor.pk}/annotations", body, prefer="respond-async")
        assert answer.status_code == 202, answer.content
        process = psutil.Process(worker.pid)
        wait_for(lambda: is_drawing(process))
        children = process.children(recursive=True)
        worker.kill()
        worker.wait(20)
        wait_for(lambda: not any(child.is_running() for child in children))
        task = ScreenshotTask.objects.get()
        assert (task.status, Asset.objects.count()) == ("RUNNING", 1)
        assert Anchor.objects.get(pk=anchor.pk).active_asset is None
        recover()
        assert_drawn_once(job)
        task.refresh_from_db()
        assert (task.losses, task.retries) == (1, 0)
