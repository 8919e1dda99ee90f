from __future__ import annotations

from django.apps import AppConfig


class InstructionsConfig(AppConfig):
    name = "instructions"

    def ready(self) -> None:
        from instructions import services, stages
        from jobs import hooks

        hooks.INGEST["draft"] = services.prepare_draft
        hooks.STAGES["GENERATING"] = stages.generate_stage
