"""What screens show, for tests: as rows of a job, and as engines that find it in whatever video."""

from __future__ import annotations

from config.storage import kept_folder, storage
from jobs.media.screen import EventKind, Region, Screen, ScreenEvent
from jobs.media.screen.stored import screen_to_json
from jobs.models import Artifact, Job
from jobs.services.screens import prepare_events

SCREEN = Screen(
    (
        ScreenEvent(
            1840, EventKind.CLICK, Region(0.82, 0.06, 0.07, 0.04), 0.93, label="New", pointer=(0.85, 0.08)
        ),
        ScreenEvent(
            3000, EventKind.TYPE, Region(0.2, 0.3, 0.4, 0.05), 0.8, end_ms=4000, label="Name", text="Ada"
        ),
    ),
    words=("Orders",),
)
STILL = Screen(note="Nothing moves in this video.")


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


def find_events() -> bytes:
    return screen_to_json(SCREEN)


def find_nothing() -> bytes:
    return screen_to_json(STILL)


def find_nonsense() -> bytes:
    return b'{"events": [{"kind": "stare"}]}'
