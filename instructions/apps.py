from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class InstructionsConfig(AppConfig):
    name = "instructions"

    def ready(self) -> None:
        from instructions.services import job_hooks
        from jobs import hooks

        def prepare_draft(content: dict[str, Any], spoken: hooks.Spoken) -> Any:
            from instructions.services import drafts  # with the parser of Markdown, for the first draft

            return drafts.prepare_draft(content, spoken)

        hooks.INGEST["draft"] = prepare_draft
        hooks.JOB_ABORTED.append(job_hooks.abort_regeneration)
