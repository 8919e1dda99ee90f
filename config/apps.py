from __future__ import annotations

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Holds the commands that are no room's own (serve, token) and sets the message broker."""

    name = "config"

    def ready(self) -> None:
        from config import broker

        broker.set_up()
