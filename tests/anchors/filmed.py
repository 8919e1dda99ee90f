"""A job with a small video whose frames carry their number, and what is there of its pictures."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

from PIL import Image

from anchors.models import Anchor, Asset
from config.storage import kept_folder, storage
from jobs.hooks import FILE_REFERENCES
from jobs.models import Artifact, AuditEvent, Job
from jobs.states import JobStatus
from tests.anchors.videos import number_of, write_video
from tests.factories import Api, make_job

SECONDS = 16


def write_numbered(folder: Path) -> Path:
    """A video of so many seconds, ten frames in each."""
    return write_video(folder / "numbered.mp4", pts=range(0, SECONDS * 1_000, 100))


def filmed(api: Api, video: Path, status: JobStatus = JobStatus.EDITING) -> Job:
    """A job with a document and this video."""
    job = make_job(status, owner=api.user)
    stored = storage().save_file(kept_folder(job.pk), video, suffix="")
    data = {"duration_ms": SECONDS * 1_000}
    Artifact.objects.create(job=job, kind="video", version=2, uri=stored.uri, sha256=stored.sha256, data=data)
    return job


def extract(api: Api, job: Job, at_ms: int) -> str:
    """Ask for a picture on the last block of the document; return the id of the task."""
    version = job.instruction.versions.latest("version")
    body = {
        "instruction_id": str(job.instruction_id),
        "instruction_version_id": str(version.pk),
        "timestamp_ms": at_ms,
        "block_id": version.read_blocks()[-1].block_id,
    }
    answer = api.post(f"/jobs/{job.pk}/screenshots/extract", body)
    assert answer.status_code == 202, answer.content
    return str(answer.json()["task_id"])


def replace(api: Api, anchor: Anchor, at_ms: int) -> str:
    """Ask for another picture of an anchor; return the id of the task."""
    body = {"instruction_version_id": str(anchor.instruction_version_id), "timestamp_ms": at_ms}
    answer = api.post(f"/anchors/{anchor.pk}/replace", body)
    assert answer.status_code == 202, answer.content
    return str(answer.json()["task_id"])


def number_in(asset: Asset) -> int:
    """Return the number of the frame that a picture shows, whose bytes are those of its row."""
    with storage().open(asset.uri) as file, Image.open(file) as image:
        number = number_of(image.convert("RGB"))
    with storage().open(asset.uri) as file:
        assert hashlib.sha256(file.read()).hexdigest() == asset.checksum_sha256
    return number


def versions(anchor: Anchor) -> list[int]:
    return list(anchor.assets.order_by("version").values_list("version", flat=True))


def events(job: Job, event_type: str) -> int:
    return AuditEvent.objects.filter(job=job, event_type=event_type).count()


def assert_every_file_has_its_row(job: Job) -> None:
    """Also those of work that was begun anew: the same bytes have the same name."""
    kept = set(storage().old_files(kept_folder(job.pk), timedelta(minutes=-1)))
    named = {uri for references in FILE_REFERENCES for uri in references(job.pk)}
    assert kept <= named, "a file that no row names"
    assert {asset.uri for asset in Asset.objects.filter(job=job)} <= kept, "a picture without a file"
