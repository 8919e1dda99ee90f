"""Base classes of the admin's pages, on which nothing is edited: writes are actions, which call the services."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from config.admin.actions import ActionRefused, ReasonForm, StaffAction
from config.admin.csv_lists import csv_lines
from config.admin.links import foreign_key, linked_column
from config.admin.lists import LargeTable
from config.api.errors import ApiError


class ReadOnly:
    """A page on which nothing can be added, changed or deleted."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StaffActionsAdmin(ModelAdmin):
    """The page of a row with its `staff_actions`.

    An action has a page of its own, `…/ID/do/NAME/`, which asks for a reason; nothing is done without that.
    """

    staff_actions: ClassVar[tuple[StaffAction[Any], ...]] = ()
    change_form_outer_before_template = "admin/staff_actions.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.do_view)
        own = path("<path:object_id>/do/<slug:name>/", view, name=self._url_name("do"))
        return [own, *super().get_urls()]

    def _url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        offered = [
            (action, self._url("do", obj, action.name))
            for action in (self.staff_actions if obj else ())
            if request.user.has_perm(action.permission) and action.is_offered(obj)
        ]
        context = {**context, "offered_actions": offered}
        page: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)
        return page

    def do_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Ask for the reason of an action; with one, do it, and lead back to the row."""
        action = next((each for each in self.staff_actions if each.name == name), None)
        if action is None:
            raise Http404
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not (self.has_view_permission(request, obj) and request.user.has_perm(action.permission)):
            raise PermissionDenied
        form = self.form_of_action(request, action, obj)
        if request.method == "POST" and form.is_valid():
            self._do(request, action, obj, form.cleaned_data)
        elif request.method == "POST" or action.is_offered(obj):
            return self._confirmation(request, action, obj, form)
        else:
            messages.warning(request, f"{action.label}: this cannot be done to it now.")
        return HttpResponseRedirect(self._url("change", obj))

    def form_of_action(self, request: HttpRequest, action: StaffAction[Any], obj: Any) -> ReasonForm:
        """Return the form of an action, as it was sent or to be filled in."""
        return action.form(request.POST or None)

    def _do(self, request: HttpRequest, action: StaffAction[Any], obj: Any, given: dict[str, Any]) -> None:
        try:
            done = action.perform(obj, request.user, given)
        except ApiError as refused:
            said = " ".join(filter(None, [refused.message, refused.hint]))
            messages.error(request, f"{action.label}: nothing was done. {said}")
        except ActionRefused as refused:
            messages.error(request, f"{action.label}: {refused}")
        else:
            self.log_change(request, obj, f"{action.label}: {given['reason']}")
            messages.success(request, done)

    def _confirmation(
        self, request: HttpRequest, action: StaffAction[Any], obj: Any, form: Any
    ) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": action.label,
            "action": action,
            "object": obj,
            "form": form,
            "back_url": self._url("change", obj),
        }
        return TemplateResponse(request, "admin/confirm_action.html", context)

    def _url(self, page: str, obj: Any, *further: str) -> str:
        return reverse(f"admin:{self._url_name(page)}", args=(obj.pk, *further))


class ReadOnlyAdmin(ReadOnly, LargeTable, StaffActionsAdmin):
    """A list, newest first, of rows that can be looked at, and sent as CSV; and the page of a row, with its actions.

    Where a list names its rows, a file has their ids too. `list_select_related` is what the names are made of.
    """

    list_select_related: ClassVar[tuple[str, ...]] = ()
    csv_columns: ClassVar[tuple[str, ...]] = ()  # those of the list unless named
    list_before_template = "admin/list_tools.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.csv_view)
        return [path("csv/", view, name=self._url_name("csv")), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related(*self.list_select_related) if self.list_select_related else rows

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns, those of rows that the admin shows too as links to them."""
        return [self._linked(name) for name in super().get_list_display(request)]

    def _linked(self, name: Any) -> Any:
        field = foreign_key(self.model, name)
        is_shown = field is not None and self.admin_site.is_registered(field.related_model)
        return linked_column(self.model, name) if is_shown else name

    def _columns_of_file(self, request: HttpRequest) -> list[Any]:
        columns = self.get_list_display(request)
        return ["id", *columns] if "__str__" in columns else columns

    def csv_view(self, request: HttpRequest) -> HttpResponseBase:
        """Send what the list with the same filters shows on all its pages."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse(f"admin:{self._url_name('changelist')}"))
        lines = csv_lines(self, self.as_shown(rows), self.csv_columns or self._columns_of_file(request))
        disposition = f'attachment; filename="{self.opts.model_name}s.csv"'
        return StreamingHttpResponse(
            lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition}
        )
