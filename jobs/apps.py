from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from config.storage.uploads import TICKETS, Tickets
        from jobs import hooks
        from jobs.services import artifacts, screens, unused_files
        from jobs.services.tickets import RECORDINGS

        hooks.INGEST["transcript"] = artifacts.prepare_segments
        hooks.INGEST["screen"] = screens.prepare_events
        hooks.FILE_REFERENCES += [unused_files.artifact_files, RECORDINGS.files]
        TICKETS["uploads"] = Tickets(RECORDINGS.declared, RECORDINGS.naming)
