from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from jobs import hooks, stages, tasks  # noqa: F401  (tasks: makes the actors)

        hooks.STAGES["AUDIO_EXTRACTING"] = stages.extract_stage
        hooks.STAGES["TRANSCRIBING"] = stages.transcribe_stage
