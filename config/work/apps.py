from __future__ import annotations

from django.apps import AppConfig


class WorkConfig(AppConfig):
    """Background work. This app sets the message broker before other apps make their actors."""

    name = "config.work"
    verbose_name = "Background work"

    def ready(self) -> None:
        from config.work import broker

        broker.set_up()
