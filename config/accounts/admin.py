"""The admin's pages of users and API tokens."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from config.accounts.models import ApiToken, User
from config.accounts.services import DEFAULT_DAYS, MAX_DAYS, create_api_token, revoke_api_token
from config.admin import LargeTable


@admin.register(User)
class StaffUserAdmin(LargeTable, UserAdmin, ModelAdmin):
    list_display = ("username", "issuer", "subject", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active")
    search_fields = ("id", "username__startswith", "subject__startswith")
    search_help_text = "ID of a user, or how a name or subject begins"
    readonly_fields = ("issuer", "subject")


class ApiTokenForm(forms.ModelForm):
    lifetime_days = forms.IntegerField(
        min_value=1,
        max_value=MAX_DAYS,
        initial=DEFAULT_DAYS,
        label="Valid for (days)",
        widget=UnfoldAdminIntegerFieldWidget,
    )


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    """Tokens are created and revoked, not changed. The value is shown once, after creation, and the hash never."""

    form = ApiTokenForm
    list_display = ("prefix", "name", "user", "created_at", "expires_at", "revoked_at", "last_used_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "expires_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("prefix", "name", "user__subject", "user__username")
    autocomplete_fields = ("user",)
    ordering = ("-pk",)
    show_full_result_count = False
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_apitoken")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.list_display if obj else ("user", "name", "lifetime_days")

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        made, value = create_api_token(
            user=obj.user, name=obj.name, lifetime_days=form.cleaned_data["lifetime_days"]
        )
        obj.pk = made.pk  # the admin continues with the row that the service created
        obj.refresh_from_db()
        messages.warning(request, f"The token, which is not shown again: {value}")

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset:
            revoke_api_token(token=token)
            self.log_change(request, token, "Revoked.")
        messages.success(request, f"Revoked: {len(queryset)}.")
