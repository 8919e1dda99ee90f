"""`manage.py remove_second_factor NAME`: take away the second factor of a user who has lost it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.accounts.models import User
from config.accounts.second_factor import remove_second_factor


class Command(BaseCommand):
    help = "Take away the authenticator app and the recovery codes of a user, who may set up new ones then."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user named {username}.")
        if not remove_second_factor(user):
            raise CommandError(f"{username} has no second factor.")
        self.stdout.write(f"The second factor of {username} is taken away.")
