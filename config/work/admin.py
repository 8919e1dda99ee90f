"""The admin's page of workers, which is read-only."""

from __future__ import annotations

from django.contrib import admin

from config.admin import ReadOnlyAdmin
from config.work.models import Worker


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ("name", "lanes", "started_at", "heartbeat_at")
