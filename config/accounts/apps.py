from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, and the API tokens of their scripts."""

    name = "config.accounts"
