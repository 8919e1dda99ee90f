"""`manage.py create_api_token USER --name NAME`: print a new API token on the last line, this once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from config.accounts.models import User
from config.accounts.services import DEFAULT_DAYS, MAX_DAYS, create_api_token
from config.api.errors import ApiError


class Command(BaseCommand):
    help = "Print a new API token of a user, named by the subject of the user's JWT; the user is made if need be."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the subject of the user's tokens, such as: editor")
        parser.add_argument("--name", required=True, help="what the token is for, such as: nightly import")
        parser.add_argument(
            "--days",
            type=int,
            default=DEFAULT_DAYS,
            help=f"how long it is valid ({DEFAULT_DAYS}; {MAX_DAYS} at most)",
        )

    def handle(self, *args: Any, user: str, name: str, days: int, **options: Any) -> None:
        if not 1 <= len(user) <= 255 or not user.isprintable():
            raise CommandError("Give a user name: create_api_token editor --name import")
        try:
            with transaction.atomic():  # so that a refused name creates no user
                owner = User.objects.provision(issuer=settings.JWT["ISSUER"], subject=user)
                token, value = create_api_token(user=owner, name=name, lifetime_days=days)
        except ApiError as error:
            raise CommandError(
                error.details["errors"][0]["message"] if error.details else error.message
            ) from error
        if not owner.is_active:
            self.stderr.write(f"{user} is switched off: the token opens nothing until that changes.")
        self.stderr.write(f"Valid until {token.expires_at:%Y-%m-%d %H:%M} UTC; it is not shown again:")
        self.stdout.write(value)
