"""The admin's pages of this app: to look, not to change."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import TabularInline

from config.admin import ReadOnly, ReadOnlyAdmin
from config.work.admin import WorkStatusFilter
from instructions.models import Instruction, InstructionVersion, RegenerateTask


class VersionsInline(ReadOnly, TabularInline):
    model = InstructionVersion
    fields = ("version", "source", "created_by", "created_at", "validation_status")
    readonly_fields = fields
    ordering = ("-version",)
    extra = 0


@admin.register(Instruction)
class InstructionAdmin(ReadOnlyAdmin):
    list_display = ("id", "job", "version", "updated_at")
    list_select_related = ("job",)
    search_fields = ("id", "job")
    search_help_text = "ID of a document or its job"
    inlines = (VersionsInline,)


@admin.register(RegenerateTask)
class RegenerateTaskAdmin(ReadOnlyAdmin):
    list_display = ("id", "job", "status", "attempt", "base_version", "failure_code", "created_at")
    list_filter = (WorkStatusFilter,)
    list_select_related = ("job",)
    exclude = ("context",)  # the owner's words
    search_fields = ("id", "job")
    search_help_text = "ID of a task or its job"
