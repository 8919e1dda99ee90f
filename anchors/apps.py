from __future__ import annotations

from django.apps import AppConfig


class AnchorsConfig(AppConfig):
    name = "anchors"

    def ready(self) -> None:
        from anchors import tasks  # noqa: F401  (registers the background work)
        from anchors.services import anchors, extraction
        from jobs import hooks

        hooks.JOB_ABORTED.append(extraction.abort_tasks)
        hooks.FILE_REFERENCES.append(anchors.asset_files)
        hooks.KEPT_BYTES.append(anchors.kept_assets)
