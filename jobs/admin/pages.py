"""The admin's pages of projects and jobs."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse

from config.admin import ReadOnlyAdmin
from jobs.admin.actions import JOB_ACTIONS
from jobs.admin.panels import JOB_PANELS
from jobs.admin.story import read_story
from jobs.models import Job, Project, UploadTicket


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "status", "owner", "project", "created_at", "updated_at")
    list_filter = ("status",)
    list_select_related = ("owner", "project")
    search_fields = ("id", "project", "owner")
    search_help_text = "ID of a job, its project or owner"
    staff_actions = JOB_ACTIONS
    change_form_template = "jobs/story.html"

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["jobs/story.css"]}
        js: ClassVar[list[Script]] = [Script("jobs/copy-button.js", type="module")]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        panels = [
            {"title": panel.title, "template": panel.template, "content": panel.read(obj)}
            for panel in JOB_PANELS
            if request.user.has_perm(panel.permission)
        ]
        told = {"story": read_story(obj), "panels": panels}
        return super().render_change_form(request, context | told, *args, obj=obj, **kwargs)


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
