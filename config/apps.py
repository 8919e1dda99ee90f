from __future__ import annotations

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Holds the command that is no app's own (serve)."""

    name = "config"
