"""Users, and the API tokens of their scripts."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from uuid6 import uuid7

from config.compiled import CompiledQuery

API_TOKEN_PREFIX = "swt_"
NOTE_USE_EVERY = timedelta(hours=1)


def hash_api_token(token: str) -> str:
    """Return the hash that is stored of an API token. A token has 256 random bits, so it needs no salt or slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


class UserManager(DjangoUserManager["User"]):
    """Queries of users by token, and the count of their requests."""

    def provision(self, *, issuer: str, subject: str) -> User:
        """Return the user with a token's issuer and subject; create one if there is none."""
        user = _BY_TOKEN.first(issuer=issuer, subject=subject)
        if user is not None:
            return user
        try:
            with transaction.atomic():
                return self.create(issuer=issuer, subject=subject, username=str(uuid7()))
        except IntegrityError:  # two first requests at once
            return self.get(issuer=issuer, subject=subject)

    def by_api_token(self, sha256: str) -> User | None:
        """Return the user of an API token; None if it is unknown, expired or revoked, or the user is inactive.

        This is one query, and at most once an hour a second one to store the time of use.
        """
        valid = ApiToken.objects.filter(revoked_at=None, expires_at__gt=Now(), user__is_active=True)
        token = valid.select_related("user").filter(sha256=sha256).first()
        if token is None:
            return None
        due = timezone.now() - NOTE_USE_EVERY
        if token.last_used_at is None or token.last_used_at < due:
            unnoted = Q(last_used_at=None) | Q(last_used_at__lt=due)  # of simultaneous requests, one writes
            ApiToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=Now())
        return token.user

    def count_requests(self, user_id: UUID, *, window: int, hits: int) -> int:
        """Add the hits of a process to the user's count in the window that begins at `window` (Unix seconds);
        return the count of all processes."""
        with connection.cursor() as cursor:
            cursor.execute(
                """UPDATE accounts_user SET throttle_window = to_timestamp(%(window)s), throttle_count = %(hits)s
                   + CASE WHEN throttle_window = to_timestamp(%(window)s) THEN throttle_count ELSE 0 END
                   WHERE id = %(id)s RETURNING throttle_count""",
                {"window": window, "hits": hits, "id": user_id},
            )
            return int(cursor.fetchone()[0])


class User(AbstractUser):
    """A user: of the API, by issuer and subject of a token, or of the admin, by name and password."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    issuer = models.CharField(max_length=255, default="", blank=True)
    subject = models.CharField(max_length=255, default="", blank=True)
    second_factor_at = models.DateTimeField("second factor since", null=True, editable=False)
    # The start of the throttle's current window, and the requests in it, over all processes.
    throttle_window = models.DateTimeField(null=True, editable=False)
    throttle_count = models.PositiveIntegerField(default=0, editable=False)
    objects = UserManager()  # type: ignore[misc]

    class Meta:
        permissions = [("switch_any_user", "Can switch any user off and on")]
        indexes = [
            models.Index(fields=["subject"], opclasses=["varchar_pattern_ops"], name="user_subject_begins"),
            models.Index(fields=["id"], condition=Q(is_staff=True), name="staff"),
            models.Index(fields=["id"], condition=Q(is_active=False), name="inactive_users"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"], condition=~Q(subject=""), name="one_user_a_subject"
            )
        ]

    def __str__(self) -> str:
        return self.subject or self.username


# What requests are about; the rest is read when it is asked for.
_READ = ("username", "issuer", "subject", "is_active", "is_staff", "is_superuser")
_BY_TOKEN = CompiledQuery(
    lambda issuer, subject: User.objects.filter(~Q(subject=""), issuer=issuer, subject=subject).only(*_READ),
    {"issuer": str, "subject": str},
)


class ApiToken(models.Model):
    """A token for scripts, with all rights of its owner. It is shown once, when created; only its hash is stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=16, editable=False)  # the first characters, to tell tokens apart
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API token"
        permissions = [("revoke_any_apitoken", "Can revoke any API token")]

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"
