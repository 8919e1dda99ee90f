"""The sweep of files that no row names: left when a process died between the writing of a file and of its row."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.db.models.functions import Now

from config.storage import storage
from jobs import hooks
from jobs.models import Artifact, FileWalk, Job, Tombstone

log = logging.getLogger(__name__)

UNUSED_AFTER = timedelta(days=1)  # no work takes so long between its file and its row
DRAFTS_AFTER = timedelta(hours=1)  # without a byte
MAX_FOLDERS = 200  # in one sweep
WALK_EVERY = timedelta(hours=1)
SLICE_LEASE = timedelta(minutes=1)  # after which another worker goes on from the same place


def remove_unused_files() -> None:
    """Look at the next folders of the storage, from where the last sweep stopped; a walk begins once an hour."""
    walk, _ = FileWalk.objects.get_or_create(pk=1)
    mine = FileWalk.objects.filter(due_at__lte=Now(), last_folder=walk.last_folder)
    if not mine.update(due_at=Now() + SLICE_LEASE):
        return
    if not walk.last_folder:
        storage().delete_drafts("", DRAFTS_AFTER)
    folders = storage().folders(after=walk.last_folder, limit=MAX_FOLDERS)
    _clean(folders)
    is_done = len(folders) < MAX_FOLDERS
    FileWalk.objects.update(
        last_folder="" if is_done else folders[-1], due_at=Now() + WALK_EVERY if is_done else Now()
    )


def _clean(folders: list[str]) -> None:
    """Clean the folders of jobs that are there or were deleted. Those of others are another database's, and stay."""
    jobs = {folder: UUID(folder.split("/")[1]) for folder in folders}
    known = set(Job.objects.filter(pk__in=jobs.values()).values_list("pk", flat=True))
    deleted = set(Tombstone.objects.filter(pk__in=jobs.values()).values_list("pk", flat=True))
    for folder, job_id in jobs.items():
        try:
            if job_id in known:
                _clean_folder(folder, job_id)
            elif job_id in deleted:
                storage().delete_folder(folder)
        except OSError:
            log.exception("the folder %s cannot be cleaned; the others are", folder)


def _clean_folder(folder: str, job_id: UUID) -> None:
    """Delete the old files that no row names.

    The files are listed before the rows are read, and whoever needs a file for a row to come writes it, or touches
    the one that is there: it is not old then. `delete_old` looks again, under the lock of the storage, which writers
    take too. So neither a row that is there nor one to come loses its file.
    """
    storage().delete_drafts(folder, DRAFTS_AFTER)
    if old := storage().old_files(folder, UNUSED_AFTER):
        used = {uri for references in hooks.FILE_REFERENCES for uri in references(job_id)}
        for uri in old:
            if uri not in used and storage().delete_old(uri, UNUSED_AFTER):
                log.info("removed %s, which no row names", uri)


def artifact_files(job_id: UUID) -> list[str]:
    artifacts = Artifact.objects.filter(job_id=job_id).values_list("uri", "data__content_uri")
    return [uri for uris in artifacts for uri in uris if uri]
