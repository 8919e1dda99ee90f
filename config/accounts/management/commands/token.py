"""`manage.py token NAME`: print a bearer token of this machine's own issuer on the last line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Print a bearer token for a user name; the user is made when the token is first used."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the token's subject, such as: editor")
        parser.add_argument("--hours", type=float, default=24.0, help="how long it is valid (24)")

    def handle(self, *args: Any, user: str, hours: float, **options: Any) -> None:
        if not 1 <= len(user) <= 255:
            raise CommandError("Give a user name: make token USER=editor")
        rules: dict[str, Any] = settings.JWT
        if "HS256" not in rules["ALGORITHMS"]:
            raise CommandError(
                "Tokens come from your identity provider: STEPWRIGHT_JWT_ALGORITHMS is without HS256."
            )
        now = datetime.now(UTC)
        claims = {
            "iss": rules["ISSUER"],
            "aud": rules["AUDIENCE"],
            "sub": user,
            "iat": now,
            "exp": now + timedelta(hours=hours),
        }
        self.stdout.write(jwt.encode(claims, rules["SECRET"], algorithm="HS256"))
