from __future__ import annotations

from django.apps import AppConfig


class AnchorsConfig(AppConfig):
    name = "anchors"

    def ready(self) -> None:
        from anchors import queries
        from anchors.services import job_hooks
        from instructions import hooks as of_instructions
        from jobs import hooks

        hooks.JOB_ABORTED.append(job_hooks.abort_tasks)
        hooks.FILE_REFERENCES.append(job_hooks.asset_files)
        hooks.KEPT_BYTES.append(job_hooks.kept_assets)
        of_instructions.ANCHORS.append(queries.anchors_in_version)
