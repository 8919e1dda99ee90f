"""What screens show, as rows of a job."""

from __future__ import annotations

from config.storage import kept_folder, storage
from jobs.media.screen import Screen
from jobs.media.screen.stored import screen_to_json
from jobs.models import Artifact, Job
from jobs.services.screens import prepare_events
from tests.screen_engines import SCREEN


def make_screen(job: Job, screen: Screen = SCREEN) -> Job:
    """What the job's screen shows being done, as when an orchestrator had sent it."""
    stored = storage().save_bytes(kept_folder(job.pk), screen_to_json(screen), suffix=".screen.json")
    version = job.artifacts.filter(kind="screen").count() + 1
    Artifact.objects.create(job=job, kind="screen", version=version, uri=stored.uri)
    prepare_events(screen.as_plain(), lambda: ())(job)
    job.manifest = {**job.manifest, "screen_uri": stored.uri}
    job.ingested_uris = {**job.ingested_uris, "screen": stored.uri}
    job.save(update_fields=["manifest", "ingested_uris"])
    return job
