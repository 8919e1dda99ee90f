"""Plain functions that make what a test starts from, by the same services that the API uses."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pgtrigger
from django.conf import settings
from django.db.models.functions import Now
from django.http import HttpResponse
from django.test import Client
from uuid6 import uuid7

from anchors.models import Anchor, AnchorResolution, Asset, ScreenshotTask
from config.accounts.models import User
from config.storage import kept_folder, storage
from config.work.models import WorkRow
from config.work.registry import KINDS
from exports.models import Export
from instructions.blocks import parse_blocks
from instructions.models import InstructionVersion, RegenerateTask
from jobs.models import Artifact, Dispatch, Job, PipelineRun, Project
from jobs.services import callbacks
from jobs.services.callbacks import StatusReport
from jobs.services.jobs import create_job, create_project
from jobs.states import ActorType, JobStatus
from tests.contract import ROAD
from tests.leases import let_no_lease_go
from tests.manifests import bare_manifest

SAMPLE = Path(__file__).parent / "media" / "sample.mp4"
TRANSCRIPT = {
    "language": "en",
    "recogniser": "test",
    "segments": [
        {"start_ms": 0, "end_ms": 2000, "text": "Click the New button."},
        {"start_ms": 2500, "end_ms": 4000, "text": "Type the name."},
    ],
}
DRAFT = {
    "markdown": "# Guide\n\n## Step 1: Click New (0:00–0:02)\n\nClick the New button.\n\n"
    "## Step 2: Type the name (0:02–0:04)\n\nType the name.\n"
}


def make_user(name: str = "owner") -> User:
    return User.objects.provision(issuer=settings.JWT["ISSUER"], subject=name)


def make_token(subject: str, *, secret: str | None = None, algorithm: str = "HS256", **claims: Any) -> str:
    now = datetime.now(UTC)
    content = {
        "iss": settings.JWT["ISSUER"],
        "aud": settings.JWT["AUDIENCE"],
        "sub": subject,
        "exp": now + timedelta(minutes=5),
        **claims,
    }
    content = {name: value for name, value in content.items() if value is not None}
    return jwt.encode(content, settings.JWT["SECRET"] if secret is None else secret, algorithm=algorithm)


class Api:
    """A signed-in client. Bodies are JSON; answers are Django's, with `.json()`."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = Client(raise_request_exception=False)
        self.headers = {"authorization": f"Bearer {make_token(user.subject)}"}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        path = path if path.startswith("/api") else f"/api/v1{path}"
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(
            method, path, content, content_type="application/json", headers={**self.headers, **names}
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("PUT", path, body, **headers)


def make_project(owner: User | None = None, name: str = "Project") -> Project:
    return create_project(owner=owner or make_user(), name=name)


def make_job(status: JobStatus = JobStatus.CREATED, *, owner: User | None = None, **options: Any) -> Job:
    """A job in a status, brought there the way real ones come: by confirm, run, reports and the owner's acts.

    A status that no such road ends at (FAILED, CANCELLED, REGENERATING, EXPORTING, DONE) is set by `force`.
    """
    job = create_job(project=make_project(owner), options={"auto_screenshots": False, **options})
    if status in (JobStatus.CREATED, JobStatus.UPLOADING):
        return force(job, status)
    stored = storage().save_bytes(kept_folder(job.pk), b"stands for a video", suffix="")
    Artifact.objects.create(
        job=job, kind="video", version=1, uri=stored.uri, sha256=stored.sha256, data={"duration_ms": 10_000}
    )
    job.manifest = {"video_uri": storage().uri(f"uploads/{job.pk}/{uuid7()}")}
    job.save(update_fields=["manifest"])
    job = force(job, JobStatus.UPLOADED)
    if status == JobStatus.UPLOADED:
        return job
    make_dispatch(job, state="accepted")
    reach = ROAD[: ROAD.index(status) + 1] if status in ROAD else ROAD
    for reported in reach:
        report(job, JobStatus(reported))
    job = Job.objects.get(pk=job.pk)
    return job if status in ROAD else force(job, status)


def make_dispatch(
    job: Job, *, state: str, orchestrator: str = "http", kind: str = "run", **fields: Any
) -> Dispatch:
    """The job's current dispatch: pending, sending, abandoned (its sender is dead), unanswered, refused, accepted
    (with a local orchestrator: and a worker is to perform it) or closed."""
    status = "SENDING" if state == "abandoned" else state.upper()
    fields.setdefault("owner_id", job.owner_id)
    if state in ("sending", "abandoned"):
        fields |= {
            "attempt": 1,
            "lease_expires_at": Now() + timedelta(seconds=12 if state == "sending" else -1),
        }
    if state in ("accepted", "closed"):
        fields |= {"accepted_at": datetime.now(UTC)}
    dispatch = Dispatch.objects.create(job=job, kind=kind, status=status, orchestrator=orchestrator, **fields)
    Job.objects.filter(pk=job.pk).update(dispatch=dispatch)
    if state == "accepted" and orchestrator == "local":
        PipelineRun.objects.create(
            job=job, owner_id=job.owner_id, lane="speech", dispatch=dispatch, status=PipelineRun.WAITING
        )
    return Dispatch.objects.get(pk=dispatch.pk)


def make_run(*, owner: User | None = None, **fields: Any) -> PipelineRun:
    """A run that waits for a worker, of a job that is AUDIO_EXTRACTING."""
    job = make_job(JobStatus.AUDIO_EXTRACTING, owner=owner)
    job.dispatch.delete()
    run = make_dispatch(job, state="accepted", orchestrator="local").pipeline_run
    PipelineRun.objects.filter(pk=run.pk).update(**fields)
    return PipelineRun.objects.get(pk=run.pk)


def make_many_jobs(project: Project, number: int, status: JobStatus = JobStatus.CREATED) -> None:
    """So many jobs in one statement, for lists; nothing hangs on them."""
    options = {"auto_screenshots": True}
    rows = (Job(project=project, owner=project.owner, options=options, status=status) for _ in range(number))
    Job.objects.bulk_create(rows)


def make_video(job: Job, *, uri: str = "") -> Artifact:
    """The next version of the job's video: what lies at `uri`, else the sample in our own storage."""
    version = job.artifacts.filter(kind="video").count() + 1
    if uri:
        return Artifact.objects.create(job=job, kind="video", version=version, uri=uri, data={})
    stored = storage().save_file(kept_folder(job.pk), SAMPLE, suffix="")
    data = {"duration_ms": 48_933}
    return Artifact.objects.create(
        job=job, kind="video", version=version, uri=stored.uri, sha256=stored.sha256, data=data
    )


def make_anchor(job: Job) -> Anchor:
    """On the first block of the newest version of the job's document."""
    version = job.instruction.versions.latest("version")
    return Anchor.objects.create(
        instruction=job.instruction,
        instruction_version=version,
        address_type="block_id",
        block_id=parse_blocks(version.markdown)[0].block_id,
    )


def make_resolution(anchor: Anchor, target: InstructionVersion | None = None) -> AnchorResolution:
    """As when the anchor had been looked for in a version (its own, by default) and not been found."""
    target, trace = target or anchor.instruction_version, {"method": "none", "score": 0.0, "to": None}
    return anchor.resolutions.create(target_version=target, state="unresolved", trace=trace)


def make_asset(job: Job, *, anchor: Anchor | None = None, rendered_from: Asset | None = None) -> Asset:
    """A small picture with its file; the newest of its anchor, and active there. With `rendered_from` it was drawn."""
    previous = anchor.assets.order_by("version").last() if anchor else None
    stored = storage().save_bytes(kept_folder(job.pk), png(), suffix=".png")
    asset = Asset.objects.create(
        job=job,
        anchor=anchor,
        version=previous.version + 1 if previous else 1,
        previous_asset=previous,
        kind=Asset.Kind.ANNOTATED if rendered_from else Asset.Kind.UPLOADED,
        rendered_from=rendered_from,
        ops_hash=uuid7().hex if rendered_from else "",
        uri=stored.uri,
        checksum_sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        mime_type="image/png",
        width=64,
        height=48,
    )
    if anchor:
        Anchor.objects.filter(pk=anchor.pk).update(active_asset=asset)
    return asset


def make_screenshot_task(job: Job, *, status: str = ScreenshotTask.WAITING, **fields: Any) -> ScreenshotTask:
    """The work of taking a picture at second 1 for the newest version of the job's document."""
    return ScreenshotTask.objects.create(
        job=job,
        owner_id=job.owner_id,
        status=status,
        operation=ScreenshotTask.Operation.EXTRACT,
        instruction_version=job.instruction.versions.latest("version"),
        at_ms=1000,
        strategy="precise",
        image_format="png",
        request_key=uuid7().hex,
        **fields,
    )


def make_regenerate_task(job: Job, *, status: str = RegenerateTask.WAITING, **fields: Any) -> RegenerateTask:
    """The work of rewriting the first step of the newest version; a job that is EDITING becomes REGENERATING when the
    work is not over."""
    version = job.instruction.versions.latest("version")
    step = next(block for block in version.read_blocks() if block.kind == "step")
    if status in RegenerateTask.ACTIVE and job.status == JobStatus.EDITING:
        force(job, JobStatus.REGENERATING)
    wanted = {
        "base_version": version.version,
        "selection": {"block_id": step.block_id},
        "client_request_id": uuid7().hex,
        "requested_by": str(job.owner_id),
        **fields,
    }
    return RegenerateTask.objects.create(
        job=job, owner_id=job.owner_id, instruction=job.instruction, status=status, **wanted
    )


def make_export(job: Job, *, status: str = Export.WAITING, format: str = "PDF") -> Export:
    """An export of the newest version of the job's document, without pictures; its artifact is there in any status."""
    version = job.instruction.versions.latest("version")
    artifact = storage().save_bytes(kept_folder(job.pk), b"stands for a guide", suffix="")
    provenance = {
        "instruction_version_id": str(version.pk),
        "anchors": [],
        "model_profile_id": "extractive",
        "prompt_template_id": "guide",
        "prompt_params_ref": None,
    }
    about = {"artifact_name": "guide.pdf", "artifact_mime_type": "application/pdf", "artifact_size_bytes": 18}
    return Export.objects.create(
        job=job,
        owner_id=job.owner_id,
        status=status,
        format=format,
        instruction_version=version,
        identity_key=uuid7().hex,
        screenshot_set_hash="0" * 64,
        renderer_version="pdf-1",
        instruction_snapshot_id=uuid7(),
        snapshot={"provenance": provenance},
        manifest=bare_manifest(version, format, provenance),
        artifact_uri=artifact.uri,
        **about,
    )


def force(job: Job, status: JobStatus) -> Job:
    """Set a status past the table, with the trigger off: for tests that start in the middle."""
    with pgtrigger.ignore("jobs.Job:job_status_table"):
        Job.objects.filter(pk=job.pk).update(status=status)
    return Job.objects.get(pk=job.pk)


def report(job: Job, status: JobStatus, **updates: Any) -> None:
    """One report of an orchestrator, through the callback service; content comes inline."""
    if status == JobStatus.AUDIO_READY:
        updates.setdefault("audio_uri", storage().save_bytes(kept_folder(job.pk), b"sound", suffix="").uri)
    if status == JobStatus.TRANSCRIPT_READY:
        updates.setdefault("transcript", TRANSCRIPT)
    if status == JobStatus.DRAFT_READY:
        updates.setdefault("draft", DRAFT)
    event_id = str(uuid7())
    made = StatusReport(
        event_id=event_id,
        status=status,
        occurred_at=datetime.now(UTC),
        correlation_id="test",
        actor_type=ActorType.ORCHESTRATOR,
        artifact_updates=updates,
        failure=None,
        payload_sha256=callbacks.canonical_sha256({"event_id": event_id}),
    )
    callbacks.apply_callback(job_id=job.pk, report=made)


def upload(api: Api, job_id: object, content: bytes) -> str:
    """Ticket and PUT; answers the video_uri to confirm."""
    about = {"filename": "a.mp4", "size_bytes": len(content), "mime_type": "video/mp4"}
    ticket = api.post(f"/jobs/{job_id}/upload", about).json()
    url = ticket["upload_url"]
    if url.startswith(settings.PUBLIC_URL):
        path = url.removeprefix(settings.PUBLIC_URL)
        answer = api.client.generic("PUT", path, content, content_type="video/mp4")
    else:
        answer = httpx.put(url, content=content, headers=ticket["headers"])
    assert answer.status_code in (200, 204), answer.content
    return str(ticket["video_uri"])


def work_off() -> int:
    """Do what waits, in this process, as a worker would; answers how many rows were performed."""
    done = 0
    while True:
        waiting = [
            (kind, row.pk)
            for kind in KINDS.values()
            for row in kind.model._default_manager.filter(status=kind.model.WAITING)
        ]
        with let_no_lease_go():
            performed = [kind.perform_row(pk) for kind, pk in waiting]
        done += sum(performed)
        if not any(performed):
            return done


def perform(row: WorkRow) -> bool:
    """Claim one row and do its work in this process, as a worker would."""
    with let_no_lease_go():
        return KINDS[type(row)].perform_row(row.pk)


def png(width: int = 64, height: int = 48, colour: str = "navy") -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()
