"""The admin's pages of this app: to look, not to change."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.decorators import display

from config.accounts.models import User
from config.admin import ReadOnlyAdmin
from config.admin.front import view_permission
from config.admin.links import link_to
from config.work.admin import StuckWorkFilter, WorkStatusFilter
from instructions.admin.comparison import VersionsForm, compare
from instructions.admin.versions import (
    SOURCES,
    author_of,
    list_versions,
    named_author,
    validation_in_words,
    with_names_of_authors,
)
from instructions.complexity import DocumentTooComplex
from instructions.models import Instruction, InstructionVersion, RegenerateTask
from instructions.preview import preview_html
from instructions.services.regeneration import require_rewriting_again
from jobs.admin.content import CONTENT_PANELS, PERMISSION, may_read, read_action
from jobs.admin.panels import Panel
from jobs.admin.requeueing import requeue_action
from jobs.models import Job
from jobs.states import JobStatus

NOT_ASKED = 'Say first why you want to read it: "Read transcript and document".'
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


class _WithPreview(ReadOnlyAdmin):
    """A page that shows the validation and the text of one version."""

    change_form_template = "instructions/version_change_form.html"

    class Media:
        css: ClassVar[dict[str, list[str]]] = {
            "all": ["instructions/preview.css", "instructions/versions.css"]
        }

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
    list_display = ("__str__", "job", "version", "updated_at")
    list_select_related = ("job",)
    search_fields = ("id", "job")
    search_help_text = "ID of a document or its job"
    staff_actions = (read_action(lambda instruction: instruction.job),)
    change_form_template = "instructions/instruction.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.compare_view)
        own = path("<uuid:instruction_id>/compare/", view, name="instructions_instruction_compare")
        return [own, *super().get_urls()]

    def shown_version(self, obj: Instruction) -> InstructionVersion | None:
        return obj.versions.defer("blocks").filter(version=obj.version).first()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        told = {"versions": list_versions(obj)}
        return super().render_change_form(request, context | told, *args, obj=obj, **kwargs)

    def compare_view(self, request: HttpRequest, instruction_id: UUID) -> HttpResponse:
        """Show what differs between two versions, to those who have said why they want to read it."""
        instruction = self.get_object(request, str(instruction_id))
        if instruction is None:
            raise Http404
        if not self.has_view_permission(request, instruction):
            raise PermissionDenied
        form = _form(request.GET, instruction)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "What changed",
            "original": instruction,
            "compare_form": form,
            **_compared(form, instruction, is_open=may_read(request, instruction.job)),
            "may_ask": request.user.has_perm(PERMISSION),
        }
        return TemplateResponse(request, "instructions/compare.html", context)


def _form(asked: Any, instruction: Instruction) -> VersionsForm:
    newest = instruction.version
    given = {"before": max(newest - 1, 1), "after": newest} | {
        name: asked[name] for name in ("before", "after") if name in asked
    }
    return VersionsForm(given, initial={"newest": newest})


def _compared(form: VersionsForm, instruction: Instruction, *, is_open: bool) -> dict[str, Any]:
    if not form.is_valid():
        return {}
    if not is_open:
        return {"refusal": NOT_ASKED}
    before, after = form.cleaned_data["before"], form.cleaned_data["after"]
    return {"before": before, "after": after, "difference": compare(instruction, before, after)}


@admin.register(InstructionVersion)
class InstructionVersionAdmin(_WithPreview):
    list_display = ("__str__", "job", "version", "made", "by", "created_at", "validation")
    list_select_related = ("instruction__job",)
    readonly_fields = ("author", "author_with_link")
    search_fields = ("id", "instruction")
    search_help_text = "ID of a version or its document"
    staff_actions = (read_action(lambda version: version.instruction.job),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstructionVersion]:
        return super().get_queryset(request).defer(*_TEXTS)

    def as_shown(self, rows: QuerySet[InstructionVersion]) -> QuerySet[InstructionVersion]:
        return with_names_of_authors(rows)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        version: Any = super().get_object(request, object_id, from_field)
        if version:
            version.author_user = author_of(version)  # once, as the page asks for a field several times
        return version

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        author = "author_with_link" if request.user.has_perm(view_permission(User)) else "author"
        models = ("model_profile_id", "prompt_template_id", "prompt_params_ref")
        return ("instruction", "version", "source", author, "created_at", *models)

    def shown_version(self, obj: InstructionVersion) -> InstructionVersion:
        return obj

    @display(description="By")
    def by(self, version: Any) -> str:
        return named_author(version, version.author_name)

    @display(description="Author")
    def author(self, version: Any) -> str:
        return named_author(version, str(version.author_user or ""))

    @display(description="Author")
    def author_with_link(self, version: Any) -> Any:
        return link_to(version.author_user) if version.author_user else self.author(version)

    @display(description="Job")
    def job(self, version: InstructionVersion) -> Any:
        return link_to(version.instruction.job)

    @display(description="Made by")
    def made(self, version: InstructionVersion) -> str:
        return SOURCES[version.source]

    @display(description="Validation")
    def validation(self, version: InstructionVersion) -> str:
        return validation_in_words(version)


@admin.register(RegenerateTask)
class RegenerateTaskAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "job", "status", "attempt", "base_version", "failure_code", "created_at")
    list_filter = (WorkStatusFilter, StuckWorkFilter)
    list_select_related = ("job",)
    exclude = ("context",)  # the owner's words
    search_fields = ("id", "job")
    search_help_text = "ID of a task or its job"
    staff_actions = (requeue_action(allows=require_rewriting_again, reopened_in=(JobStatus.DONE,)),)
