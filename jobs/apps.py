from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from config.storage.uploads import TICKETS, Tickets
        from jobs import hooks
        from jobs.services import artifacts, unused_files, uploads

        hooks.INGEST["transcript"] = artifacts.prepare_segments
        hooks.FILE_REFERENCES += [unused_files.artifact_files, unused_files.ticket_files]
        TICKETS["uploads"] = Tickets(uploads.declared, uploads.naming)
