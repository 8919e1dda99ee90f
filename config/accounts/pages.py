"""The admin's page of one's own second factor: setting it up, giving a code, new recovery codes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.widgets import UnfoldAdminTextInputWidget

from config.accounts.second_factor import (
    ADMIN,
    begin_set_up,
    check_code,
    codes_left,
    finish_set_up,
    has_second_factor,
    picture_of,
    renew_recovery_codes,
    secret_of,
)

WRONG = "This is no code that is valid now. Wait for the next one: after each wrong code it takes longer."


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=32,
        label="Code",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code", "autofocus": True}),
    )

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).replace(" ", "")


def second_factor(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    if not has_second_factor(user):
        return _set_up(request)
    return _manage(request) if user.is_verified() else _ask(request)


def _set_up(request: HttpRequest) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if codes := finish_set_up(request, form.cleaned_data["code"]):
            return _page(request, "Your recovery codes", codes=codes)
        form.add_error("code", WRONG)
    device = begin_set_up(request.user)
    shown = {"picture": picture_of(device), "secret": secret_of(device)}
    return _page(request, "Set up a second factor", form=form, **shown)


def _ask(request: HttpRequest) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if check_code(request, form.cleaned_data["code"]):
            return HttpResponseRedirect(_next(request))
        form.add_error("code", WRONG)
    return _page(request, "Second factor", form=form, is_asked=True)


def _manage(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _page(request, "Your recovery codes", codes=renew_recovery_codes(request.user))
    return _page(request, "Second factor", left=codes_left(request.user))


def _next(request: HttpRequest) -> str:
    target = request.GET.get("next", "")
    is_ours = target.startswith(ADMIN) and url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return target if is_ours else ADMIN


def _page(request: HttpRequest, title: str, **shown: Any) -> TemplateResponse:
    context = {**admin.site.each_context(request), "title": title, "next_url": _next(request), **shown}
    return TemplateResponse(request, "accounts/second_factor.html", context)
