from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from config.storage.uploads import TICKETS, Tickets
        from jobs import hooks, pipeline, tasks  # noqa: F401
        from jobs.services import artifacts, unused_files, uploads

        hooks.INGEST["transcript"] = artifacts.prepare_segments
        hooks.STAGES["AUDIO_EXTRACTING"] = pipeline.extract_stage
        hooks.STAGES["TRANSCRIBING"] = pipeline.transcribe_stage
        hooks.FILE_REFERENCES += [unused_files.artifact_files, unused_files.ticket_files]
        TICKETS["uploads"] = Tickets(uploads.declared, uploads.naming)
