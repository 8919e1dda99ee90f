"""The admin's pages of users and API tokens."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from config.accounts.models import ApiToken, User
from config.accounts.second_factor import has_second_factor, remove_second_factor
from config.accounts.services import (
    DEFAULT_DAYS,
    MAX_DAYS,
    create_api_token,
    revoke_api_token,
    switch_off_user,
    switch_on_user,
)
from config.admin import ActionRefused, LargeTable, StaffAction, StaffActionsAdmin


def _revoke(token: ApiToken, user: Any, given: dict[str, Any]) -> str:
    revoke_api_token(token=token)
    return "The token is revoked: it opens nothing from now on."


def _switch_off(row: User, user: Any, given: dict[str, Any]) -> str:
    if row.pk == user.pk:
        raise ActionRefused("nothing was done. You cannot switch yourself off.")
    switch_off_user(user=row)
    return "The user is switched off: no password and no token of theirs opens anything."


def _remove_second_factor(row: User, user: Any, given: dict[str, Any]) -> str:
    if not remove_second_factor(row):
        raise ActionRefused("nothing was done. The user has no second factor.")
    return "The second factor is taken away. The user may set up a new one."


def _switch_on(row: User, user: Any, given: dict[str, Any]) -> str:
    switch_on_user(user=row)
    return "The user is switched on again."


TOKEN_ACTIONS: tuple[StaffAction[ApiToken], ...] = (
    StaffAction(
        name="revoke",
        label="Revoke the token",
        permission="accounts.revoke_any_apitoken",
        consequence="Whoever uses it is refused from now on. It cannot be taken back; a new token can be made.",
        is_offered=lambda token: token.revoked_at is None,
        perform=_revoke,
        is_dangerous=True,
    ),
)
USER_ACTIONS: tuple[StaffAction[User], ...] = (
    StaffAction(
        name="switch-off",
        label="Switch the user off",
        permission="accounts.switch_any_user",
        consequence="The user is let in no more, by password or by any token, until switched on again. What workers do "
        "for the user's jobs goes on.",
        is_offered=lambda user: user.is_active,
        perform=_switch_off,
        is_dangerous=True,
    ),
    StaffAction(
        name="switch-on",
        label="Switch the user on",
        permission="accounts.switch_any_user",
        consequence="The user is let in again, with the same password and tokens as before.",
        is_offered=lambda user: not user.is_active,
        perform=_switch_on,
    ),
    StaffAction(
        name="remove-second-factor",
        label="Take the second factor away",
        permission="accounts.switch_any_user",
        consequence="The authenticator app and the recovery codes of the user are of no use any more: for one who has "
        "lost them. Be sure who asks for it.",
        is_offered=has_second_factor,
        perform=_remove_second_factor,
        is_dangerous=True,
    ),
)


# Theirs would show secrets and have them changed; ours is `pages.second_factor`.
admin.site.unregister((TOTPDevice, StaticDevice))


@admin.register(User)
class StaffUserAdmin(LargeTable, UserAdmin, StaffActionsAdmin):  # type: ignore[misc]  # its `*args` are ours by name
    list_display = ("__str__", "issuer", "is_staff", "is_active", "second_factor_at", "date_joined")
    list_filter = ("is_staff", "is_active")
    search_fields = ("id", "username__startswith", "subject__startswith")
    search_help_text = "ID of a user, or how a name or subject begins"
    readonly_fields = ("issuer", "subject", "is_active")
    staff_actions = USER_ACTIONS


class ApiTokenForm(forms.ModelForm):
    lifetime_days = forms.IntegerField(
        min_value=1,
        max_value=MAX_DAYS,
        initial=DEFAULT_DAYS,
        label="Valid for (days)",
        widget=UnfoldAdminIntegerFieldWidget,
    )


@admin.register(ApiToken)
class ApiTokenAdmin(StaffActionsAdmin):
    """Tokens are created and revoked, not changed. The value is shown once, after creation, and the hash never."""

    form = ApiTokenForm
    list_display = ("prefix", "name", "user", "created_at", "expires_at", "revoked_at", "last_used_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "expires_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("prefix", "name", "user__subject", "user__username")
    autocomplete_fields = ("user",)
    ordering = ("-pk",)
    show_full_result_count = False
    staff_actions = TOKEN_ACTIONS

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.list_display if obj else ("user", "name", "lifetime_days")

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        made, value = create_api_token(
            user=obj.user, name=obj.name, lifetime_days=form.cleaned_data["lifetime_days"]
        )
        obj.pk = made.pk  # the admin continues with the row that the service created
        obj.refresh_from_db()
        messages.warning(request, f"The token, which is not shown again: {value}")
