from __future__ import annotations

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "exports"

    def ready(self) -> None:
        from exports import services, tasks  # noqa: F401  (tasks: makes the actors)
        from jobs import hooks

        hooks.JOB_ENDED.append(services.end_exports)
        hooks.JOB_DELETED.append(services.delete_exports)
