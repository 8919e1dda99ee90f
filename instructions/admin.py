"""The admin's pages of this room: to look, not to change."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import TabularInline

from instructions.models import Instruction, InstructionVersion
from jobs.admin import LookOnly, LookOnlyAdmin


class VersionsInline(LookOnly, TabularInline):
    model = InstructionVersion
    fields = ("version", "source", "created_by", "created_at", "validation_status")
    readonly_fields = fields
    ordering = ("-version",)
    extra = 0


@admin.register(Instruction)
class InstructionAdmin(LookOnlyAdmin):
    list_display = ("id", "job", "version", "updated_at")
    search_fields = ("=id", "=job__id")
    inlines = (VersionsInline,)
