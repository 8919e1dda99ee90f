"""Base of every viewset: the check of query parameters, and the one way to fetch what a path names."""

from __future__ import annotations

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
from config.api.pagination import page_response, read_page
from config.api.serializers import StrictSerializer, validate

M = TypeVar("M", bound=Model)


class NoQuery(StrictSerializer):
    """No parameters."""


class AnyAccept(BaseContentNegotiation):
    """For viewsets that answer a file: its type is what it is, whatever Accept says; errors are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class ShortMetadata(SimpleMetadata):
    """The answer to OPTIONS. The fields of request bodies stand in the API description alone."""

    def determine_actions(self, request: Request, view: Any) -> dict[str, Any]:
        return {}


class ApiViewSet(GenericViewSet[M]):
    """Validates query parameters before an action runs, and answers 404 alike for all that is not there.

    `query_serializers` names the serializer of each action that takes parameters; what it validated is
    `self.query`. All other parameters are a 400. `lookup_url_kwarg` names the id that `get_object` looks up.
    """

    query_serializers: ClassVar[dict[str, type[StrictSerializer]]] = {}
    lookup_url_kwarg: str
    metadata_class = ShortMetadata

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        serializer = self.query_serializers.get(self.action, NoQuery)
        declared = serializer._declared_fields
        # Parameters given twice are lists where the field is one; else the last counts.
        raw = {
            name: values if isinstance(declared.get(name), ListField) else values[-1]
            for name, values in request.query_params.lists()
        }
        self.query: dict[str, Any] = validate(serializer, raw, is_query=True)

    def get_object(self) -> M:
        """Return the row of `get_queryset()` that the path names; raise the 404 of the contract."""
        return get_visible(self.get_queryset(), self.kwargs[self.lookup_url_kwarg])

    def page(
        self,
        queryset: QuerySet[Any],
        serializer: type[BaseSerializer[Any]],
        *,
        oldest_first: bool = False,
        context: dict[str, Any] | None = None,
    ) -> Response:
        """Return the page of a list that `self.query`, a validated PageQuery, asks for."""
        rows, following = read_page(queryset, self.request, self.query, oldest_first=oldest_first)
        return page_response(serializer(rows, many=True, context=context or {}).data, following)
