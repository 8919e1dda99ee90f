from __future__ import annotations

from django.apps import AppConfig


class AnchorsConfig(AppConfig):
    name = "anchors"

    def ready(self) -> None:
        from anchors import services, tasks  # noqa: F401  (tasks: makes the actors)
        from jobs import hooks

        hooks.JOB_ENDED.append(services.end_tasks)
