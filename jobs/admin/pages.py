"""The admin's pages of projects and jobs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.forms.widgets import Media, Script
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from config.admin import ReadOnlyAdmin
from config.work.admin import WorkAdmin
from jobs.admin.actions import JOB_ACTIONS
from jobs.admin.content import CONTENT_PANELS, SHOW_CONTENT, may_read
from jobs.admin.filters import FailureCodeFilter, PeriodFilter, StuckFilter, search_jobs
from jobs.admin.panels import JOB_PANELS, PANEL_STYLES
from jobs.admin.requeueing import requeue_action
from jobs.admin.story import TONES, read_story
from jobs.models import AuditEvent, Dispatch, Job, PipelineRun, Project, UploadTicket
from jobs.services.requeueing import never_again

_COLOURS = {"works": "info", "waits": "", "good": "success", "bad": "danger", "over": "warning"}
BADGES = {str(status): _COLOURS[tone] for status, tone in TONES.items()}


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = (
        "__str__",
        "state",
        "owner",
        "project",
        "in_state_since",
        "executions",
        "failure_code",
        "created_at",
    )
    list_filter = ("status", StuckFilter, FailureCodeFilter, PeriodFilter)
    list_select_related = ("owner", "project")
    search_fields = ("id",)
    search_help_text = "Any ID of a job or of what belongs to it, a URI, or the owner's name"
    staff_actions = (*JOB_ACTIONS, SHOW_CONTENT)
    change_form_template = "jobs/story.html"

    @property
    def media(self) -> Media:
        styles = ["jobs/story.css", *PANEL_STYLES]  # which later apps have added to by now
        scripts: list[Any] = [Script("jobs/copy-button.js", type="module")]
        return super().media + Media(css={"all": styles}, js=scripts)

    def as_shown(self, rows: QuerySet[Job]) -> QuerySet[Job]:
        changes = AuditEvent.objects.filter(job=OuterRef("pk")).exclude(new_status__in=["", F("prev_status")])
        dispatches = Dispatch.objects.filter(job=OuterRef("pk")).order_by().values("job")
        return rows.annotate(
            changed_at=Subquery(changes.order_by("-pk").values("recorded_at")[:1]),
            dispatched=Subquery(dispatches.annotate(number=Count("pk")).values("number")),
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        term = search_term.strip()
        return (search_jobs(queryset, term) if term else queryset), False

    @display(description="State", label=BADGES)
    def state(self, job: Job) -> str:
        return str(job.status)

    @display(description="In this state since")
    def in_state_since(self, job: Any) -> Any:
        return job.changed_at or job.created_at

    @display(description="Runs and retries")
    def executions(self, job: Any) -> int:
        return job.dispatched or 0

    @display(description="Failure code")
    def failure_code(self, job: Job) -> str:
        return (job.failure or {}).get("failure_code", "")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        panels = [
            {"title": panel.title, "template": panel.template, "content": panel.read(obj)}
            for panel in [*JOB_PANELS, *(CONTENT_PANELS if may_read(request, obj) else ())]
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
        "__str__",
        "job",
        "mime_type",
        "received_at",
        "refusal_code",
        "expires_at",
        "closed_at",
    )
    csv_columns = ("id", "filename", "size_bytes", *list_display[1:])
    list_select_related = ("job",)
    search_fields = ("id", "job")
    search_help_text = "ID of a ticket or its job"


@admin.register(PipelineRun)
class PipelineRunAdmin(WorkAdmin):
    staff_actions = (requeue_action(allows=never_again, reopened_in=()),)
