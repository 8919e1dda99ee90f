from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The pages for people."""

    name = "config.web"
