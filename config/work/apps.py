from __future__ import annotations

from django.apps import AppConfig


class WorkConfig(AppConfig):
    """Background work. Sets the message broker before any app makes its actors."""

    name = "config.work"
    verbose_name = "Background work"

    def ready(self) -> None:
        from config.work import broker

        broker.set_up()
