"""The part of the sweep that belongs to the pages."""

from __future__ import annotations

from django.contrib.sessions.models import Session
from django.db.models.functions import Now

from config.work.sweep import register_sweep

MAX_SESSIONS = 1000  # in one sweep


def delete_ended_sessions() -> None:
    """Delete the sessions that are past their time: nobody comes back for them."""
    ended = Session.objects.filter(expire_date__lt=Now()).order_by("expire_date").values("pk")
    Session.objects.filter(pk__in=ended[:MAX_SESSIONS]).delete()


register_sweep(delete_ended_sessions)
