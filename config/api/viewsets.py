"""The base class of viewsets: it checks query parameters, and fetches the row that a path names."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.fields import ListField
from rest_framework.metadata import SimpleMetadata
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from config.api.ownership import get_visible
from config.api.pagination import Fetch, fetch_from, page_response, read_page
from config.api.serializers import StrictSerializer, validate

M = TypeVar("M", bound=Model)


class NoQuery(StrictSerializer):
    """No parameters."""


class AnyAccept(BaseContentNegotiation):
    """For viewsets that answer with a file: Accept is ignored, as a file has one type; errors are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class ShortMetadata(SimpleMetadata):
    """The answer to OPTIONS, without the fields of request bodies, which are in the API description."""

    def determine_actions(self, request: Request, view: Any) -> dict[str, Any]:
        return {}


@cache
def _without_parameters(serializer: type[StrictSerializer]) -> dict[str, Any]:
    return validate(serializer, {}, is_query=True)


class ApiViewSet(GenericViewSet[M]):
    """Validates query parameters before an action, and answers the same 404 for everything that is not visible.

    `query_serializers` has the serializer of each action with parameters; the validated values are `self.query`.
    Other parameters are a 400. `lookup_url_kwarg` is the name of the id that `get_object` looks up.
    """

    query_serializers: ClassVar[dict[str, type[StrictSerializer]]] = {}
    lookup_url_kwarg: str
    query: dict[str, Any]
    metadata_class = ShortMetadata

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # Others are answered by 405, and OPTIONS by what the path takes: the query is of the method that they are not.
        if self.action not in (None, "metadata"):
            self.query = self._read_query(request)

    def _read_query(self, request: Request) -> dict[str, Any]:
        serializer = self.query_serializers.get(self.action, NoQuery)
        if not request.META.get("QUERY_STRING"):
            return dict(_without_parameters(serializer))
        declared = serializer._declared_fields
        # Parameters that are given twice are lists if the field is one; otherwise the last is used.
        raw = {
            name: values if isinstance(declared.get(name), ListField) else values[-1]
            for name, values in request.query_params.lists()
        }
        return validate(serializer, raw, is_query=True)

    def get_object(self) -> M:
        """Return the row of `get_queryset()` that the path names; raise the 404 of the contract."""
        return get_visible(self.get_queryset(), self.kwargs[self.lookup_url_kwarg])

    def page(
        self,
        rows: QuerySet[Any] | Fetch,
        serializer: type[BaseSerializer[Any]],
        *,
        oldest_first: bool = False,
        context: dict[str, Any] | None = None,
    ) -> Response:
        """Return the page of a list that is named by `self.query`, a validated PageQuery."""
        fetch = fetch_from(rows, oldest_first=oldest_first) if isinstance(rows, QuerySet) else rows
        found, following = read_page(fetch, self.request, self.query)
        return page_response(serializer(found, many=True, context=context or {}).data, following)
