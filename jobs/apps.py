from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from jobs import hooks, pipeline, tasks  # noqa: F401
        from jobs.services import artifacts

        hooks.INGEST["transcript"] = artifacts.prepare_segments
        hooks.STAGES["AUDIO_EXTRACTING"] = pipeline.extract_stage
        hooks.STAGES["TRANSCRIBING"] = pipeline.transcribe_stage
