"""The admin's page of workers, and the filters of the pages of work; all are read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from config.admin import ReadOnlyAdmin
from config.work.models import Worker
from config.work.stuck import STUCK_ROWS


class WorkStatusFilter(admin.SimpleListFilter):
    """The statuses of a kind of work. Django's own filter would read the whole table for those that occur."""

    title = parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kind = model_admin.model
        return [
            (status, status.capitalize())
            for status in (kind.WAITING, kind.RUNNING, kind.SUCCEEDED, kind.FAILED)
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=self.value()) if self.value() else queryset


class StuckWorkFilter(admin.SimpleListFilter):
    """Rows of work that do not go on, as the front page counts them."""

    title = parameter_name = "stuck"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("lost", "Its worker was lost"), ("waiting", "Waits for over 10 minutes")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        condition = STUCK_ROWS.get(self.value() or "")
        return queryset.filter(condition(queryset.model)) if condition else queryset


class WorkAdmin(ReadOnlyAdmin):
    """The list of a kind of work whose rows have a job, without an index of their statuses."""

    list_display = ("__str__", "job", "status", "attempt", "lane", "failure_code", "created_at")
    list_filter = (StuckWorkFilter,)
    list_select_related = ("job",)
    search_fields = ("id", "job")
    search_help_text = "ID of the work or its job"


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ("name", "lanes", "started_at", "heartbeat_at")
