"""The admin's pages of this room: to look, not to change; writes go through the services."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from jobs.models import AuditEvent, Dispatch, Job, Project, User, Worker


class LookOnly:
    """Nothing can be added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LookOnlyAdmin(LookOnly, ModelAdmin):
    """Lists without a COUNT over the whole table, newest first."""

    show_full_result_count = False
    ordering = ("-pk",)


class EventsInline(LookOnly, TabularInline):
    model = AuditEvent
    fields = ("occurred_at", "event_type", "actor_type", "prev_status", "new_status", "correlation_id")
    ordering = ("id",)
    extra = 0


class DispatchesInline(LookOnly, TabularInline):
    model = Dispatch
    fk_name = "job"
    fields = ("kind", "status", "attempt", "retries", "progress_pct", "heartbeat_at", "failure_code")
    extra = 0


@admin.register(Job)
class JobAdmin(LookOnlyAdmin):
    list_display = ("id", "owner", "project", "status", "created_at", "updated_at")
    list_filter = ("status",)
    list_select_related = ("owner", "project")
    search_fields = ("=id", "=project__id")
    inlines = (DispatchesInline, EventsInline)


@admin.register(Project)
class ProjectAdmin(LookOnlyAdmin):
    list_display = ("name", "owner", "created_at")
    list_select_related = ("owner",)
    search_fields = ("=id", "name")


@admin.register(Worker)
class WorkerAdmin(LookOnlyAdmin):
    list_display = ("name", "started_at", "heartbeat_at")


@admin.register(User)
class PeopleAdmin(UserAdmin, ModelAdmin):
    list_display = ("username", "issuer", "subject", "is_staff", "is_active", "date_joined")
    search_fields = ("username", "subject")
    readonly_fields = ("issuer", "subject")
