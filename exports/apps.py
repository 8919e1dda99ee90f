from __future__ import annotations

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "exports"

    def ready(self) -> None:
        from exports import tasks  # noqa: F401  (registers the background work)
        from exports.services import rendering
        from jobs import hooks

        hooks.JOB_ABORTED.append(rendering.abort_exports)
        hooks.FILE_REFERENCES.append(rendering.export_files)
