"""A job's video as a file to read: our own copy of it, fetched first when the video lies elsewhere."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from config import sandbox
from config.api import errors
from config.remote_file import Source
from config.storage import BadUri, kept_folder, storage
from config.work.models import WorkFailed
from jobs.media.probe import Probe, UnreadableVideo, probe_video
from jobs.media.remote_video import fetch_video
from jobs.media.transcripts import MAX_TIME_MS
from jobs.media.video_uris import RemoteVideoError, check_uri
from jobs.models import Artifact, Job
from jobs.services.artifacts import newest_artifact
from jobs.services.quota import require_bytes


def require_artifact(job: Job, kind: str) -> Artifact:
    """Return the newest artifact of a kind; raises WorkFailed when the job has none. For workers."""
    artifact = newest_artifact(job, kind)
    if artifact is None:
        raise WorkFailed("ARTIFACT_MISSING", f"The {kind} of this job is missing. Ask support.")
    return artifact


def probe_in_child(video: Source, check: Callable[[], object] = lambda: None) -> Probe:
    """Return what `probe_video` returns. Raises UnreadableVideo, SandboxError, and whatever `check` raises."""
    return sandbox.call(
        probe_video,
        video,
        limits=sandbox.limits.PROBE,
        returns=(Probe,),
        raises=(UnreadableVideo,),
        check=check,
    )


def length_ms(job: Job) -> int:
    """Return the length of the job's video; of one that was never looked at, the longest that is worked on."""
    video = newest_artifact(job, "video")
    found: int | None = ((video and video.data) or {}).get("duration_ms")
    return MAX_TIME_MS if found is None else min(found, MAX_TIME_MS)


def external_video(uri: str) -> str:
    """Return the URI of a video beside our own storage, if a job may have it; raises a 400 otherwise."""
    try:
        if _is_ours(uri):  # whatever the list says: a file of ours is some job's own
            raise RemoteVideoError("VIDEO_URI_NOT_ALLOWED", "This is not a URI that this job may use.")
        check_uri(uri, settings.VIDEO_URI_ALLOW)
    except RemoteVideoError as error:
        hint = "Send the video_uri of the upload ticket"
        if settings.VIDEO_URI_ALLOW:
            hint += ", or a URI at a place that this service's operator has allowed"
        raise errors.invalid("video_uri", error.message, code=error.code, hint=f"{hint}.") from error
    return uri


@contextmanager
def open_video(job: Job, on_progress: Callable[[float], None]) -> Iterator[Source]:
    """Give the job's video to be read. One that lies beside our storage is fetched the first time, and kept.

    `on_progress` ends the fetch by raising. Raises SandboxError and WorkFailed: ARTIFACT_MISSING, VIDEO_UNREADABLE,
    QUOTA_EXCEEDED, and the codes of `fetch_video`.
    """
    video = require_artifact(job, "video")
    if not _is_ours(video.uri):
        video = _fetch(job, video, on_progress)
    with storage().source(video.uri) as source:
        yield source


def _is_ours(uri: str) -> bool:
    try:
        storage().key(uri)
    except BadUri:
        return False
    return True


def _fetch(job: Job, external: Artifact, on_progress: Callable[[float], None]) -> Artifact:
    """Keep a copy as the next version of the artifact; of two workers at once the second takes the first's."""
    with tempfile.TemporaryDirectory(prefix="stepwright-") as folder:
        file = Path(folder) / "video"
        _require_room(job, 1)
        try:
            fetch_video(
                external.uri,
                file,
                allowed_prefixes=settings.VIDEO_URI_ALLOW,
                max_bytes=settings.MAX_UPLOAD_BYTES,
                on_progress=on_progress,
            )
            probe = probe_in_child(file, lambda: on_progress(0.0))
        except RemoteVideoError as error:
            raise WorkFailed(error.code, error.message) from error
        except UnreadableVideo as error:
            raise WorkFailed("VIDEO_UNREADABLE", str(error)) from error
        _require_room(job, file.stat().st_size)
        stored = storage().save_file(kept_folder(job.pk), file, suffix="")
    try:
        with transaction.atomic():
            return Artifact.objects.create(
                job=job,
                kind="video",
                version=external.version + 1,
                uri=stored.uri,
                sha256=stored.sha256,
                size_bytes=stored.size_bytes,
                data=probe.facts(),
            )
    except IntegrityError:
        return require_artifact(job, "video")


def _require_room(job: Job, size_bytes: int) -> None:
    """Raise WorkFailed when the owner's quota has no room for so many bytes."""
    try:
        require_bytes(job.owner_id, size_bytes)
    except errors.ApiError as error:
        raise WorkFailed(
            "QUOTA_EXCEEDED",
            "A copy of this video has no room among the bytes that you may keep here. Delete jobs that you do not "
            "need any more, then try again.",
        ) from error
