"""The admin's pages of this app: to look, not to change."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from config.admin import ReadOnly, ReadOnlyAdmin
from config.work.admin import StuckWorkFilter, WorkStatusFilter
from instructions.complexity import DocumentTooComplex
from instructions.models import Instruction, InstructionVersion, RegenerateTask
from instructions.preview import preview_html
from instructions.services.regeneration import require_rewriting_again
from jobs.admin.content import CONTENT_PANELS, PERMISSION, may_read
from jobs.admin.panels import Panel
from jobs.admin.requeueing import requeue_action
from jobs.models import Job
from jobs.states import JobStatus

NOT_ASKED = 'Say on the page of the job why you want to read it: "Read transcript and document".'
_TEXTS = ("markdown", "blocks")  # of a version, up to a megabyte each; lists leave them in the database


def _look(version: InstructionVersion | None, *, may_read: bool) -> dict[str, Any]:
    """Return what the template shows of a version: its validation, and its text or why that is not shown."""
    if version is None:
        return {}
    if not may_read:
        return {"shown": version, "refusal": NOT_ASKED}
    try:
        # The only text here that is not escaped: it has been cleaned by a list of what may stay.
        preview = SafeString(preview_html(version.markdown))  # nosec B703
    except DocumentTooComplex as refusal:
        return {"shown": version, "refusal": str(refusal)}
    return {"shown": version, "preview": preview}


class VersionsInline(ReadOnly, TabularInline):
    model = InstructionVersion
    fields = ("version", "source", "created_by", "created_at", "validation_status")
    readonly_fields = fields
    ordering = ("-version",)
    extra = 0
    per_page = 20
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstructionVersion]:
        return super().get_queryset(request).defer(*_TEXTS)


class _WithPreview(ReadOnlyAdmin):
    """A page that shows the validation and the text of one version."""

    change_form_template = "instructions/version_change_form.html"

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["instructions/preview.css"]}

    def shown_version(self, obj: Any) -> InstructionVersion | None:
        raise NotImplementedError

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        version = self.shown_version(obj)
        looked = _look(version, may_read=version is not None and may_read(request, version.instruction.job))
        page: HttpResponse = super().render_change_form(request, context | looked, *args, obj=obj, **kwargs)
        return page


def _newest(job: Job) -> dict[str, Any]:
    version = InstructionVersion.objects.filter(instruction__job=job).order_by("-version").first()
    return _look(version, may_read=True)


CONTENT_PANELS.append(Panel("Document", "instructions/document_panel.html", PERMISSION, _newest))


@admin.register(Instruction)
class InstructionAdmin(_WithPreview):
    list_display = ("id", "job", "version", "updated_at")
    list_select_related = ("job",)
    search_fields = ("id", "job")
    search_help_text = "ID of a document or its job"
    inlines = (VersionsInline,)

    def shown_version(self, obj: Instruction) -> InstructionVersion | None:
        return obj.versions.defer("blocks").filter(version=obj.version).first()


@admin.register(InstructionVersion)
class InstructionVersionAdmin(_WithPreview):
    list_display = ("id", "instruction", "version", "source", "created_by", "created_at", "validation_status")
    list_select_related = ("instruction",)
    fields = (
        *("instruction", "version", "source", "created_by", "created_at"),
        *("model_profile_id", "prompt_template_id", "prompt_params_ref"),
    )
    search_fields = ("id", "instruction")
    search_help_text = "ID of a version or its document"

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstructionVersion]:
        return super().get_queryset(request).defer(*_TEXTS)

    def shown_version(self, obj: InstructionVersion) -> InstructionVersion:
        return obj


@admin.register(RegenerateTask)
class RegenerateTaskAdmin(ReadOnlyAdmin):
    list_display = ("id", "job", "status", "attempt", "base_version", "failure_code", "created_at")
    list_filter = (WorkStatusFilter, StuckWorkFilter)
    list_select_related = ("job",)
    exclude = ("context",)  # the owner's words
    search_fields = ("id", "job")
    search_help_text = "ID of a task or its job"
    staff_actions = (requeue_action(allows=require_rewriting_again, reopened_in=(JobStatus.DONE,)),)
