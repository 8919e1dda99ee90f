"""The admin's pages of projects and jobs."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import TabularInline

from config.admin import ReadOnly, ReadOnlyAdmin
from jobs.admin.actions import JOB_ACTIONS
from jobs.models import AuditEvent, Dispatch, Job, PipelineRun, Project, UploadTicket


class EventsInline(ReadOnly, TabularInline):
    model = AuditEvent
    fields = ("occurred_at", "event_type", "actor_type", "prev_status", "new_status", "correlation_id")
    ordering = ("id",)
    extra = 0


class DispatchesInline(ReadOnly, TabularInline):
    model = Dispatch
    fk_name = "job"
    fields = ("kind", "orchestrator", "status", "attempt", "retries", "losses", "accepted_at", "failure_code")
    extra = 0


class PipelineRunsInline(ReadOnly, TabularInline):
    model = PipelineRun
    fields = ("status", "attempt", "retries", "losses", "progress_pct", "heartbeat_at", "failure_code")
    extra = 0


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("id", "owner", "project", "status", "created_at", "updated_at")
    list_filter = ("status",)
    list_select_related = ("owner", "project")
    search_fields = ("id", "project", "owner")
    search_help_text = "ID of a job, its project or owner"
    inlines = (DispatchesInline, PipelineRunsInline, EventsInline)
    staff_actions = JOB_ACTIONS


@admin.register(Project)
class ProjectAdmin(ReadOnlyAdmin):
    list_display = ("name", "owner", "created_at")
    list_select_related = ("owner",)
    search_fields = ("id", "owner", "name__istartswith")
    search_help_text = "ID of a project or its owner, or how its name begins"


@admin.register(UploadTicket)
class UploadTicketAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "job",
        "filename",
        "size_bytes",
        "received_at",
        "refusal_code",
        "expires_at",
        "closed_at",
    )
    list_select_related = ("job",)
    search_fields = ("id", "job")
    search_help_text = "ID of a ticket or its job"
