"""Base of every view: what its query parameters are is said once, for the check and for the description."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.fields import ListField
from rest_framework.request import Request
from rest_framework.views import APIView

from config.api.serializers import StrictSerializer, validate


class NoQuery(StrictSerializer):
    """No parameters."""


class Endpoint(APIView):
    """`queries` names the query serializer of each method that takes parameters; all others are a 400."""

    queries: ClassVar[dict[str, type[StrictSerializer]]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        method = "GET" if request.method == "HEAD" else str(request.method)
        query = self.queries.get(method, NoQuery)
        declared = query._declared_fields
        # Parameters given twice are lists where the field is one; else the last counts.
        raw = {
            name: values if isinstance(declared.get(name), ListField) else values[-1]
            for name, values in request.query_params.lists()
        }
        self.query: dict[str, Any] = validate(query, raw, is_query=True)
