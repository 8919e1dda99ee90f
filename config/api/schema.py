"""How the OpenAPI description is generated: the error shape, the statuses, bearer sign-in."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers


class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.DictField(required=False)
    hint = serializers.CharField(required=False)
    request_id = serializers.CharField()


DESCRIPTIONS = {
    202: "Accepted; poll Location",
    204: "Applied",
    302: "Elsewhere, by a signed URL",
    304: "Not modified",
    400: "The request is not valid",
    401: "Not signed in",
    404: "No such resource",
    409: "Not in this state",
    412: "If-Match is stale",
    429: "Too many requests or jobs",
    502: "The orchestrator did not accept",
    503: "The database cannot be reached",
    507: "The storage is full",
}


def answers(status: int, shape: Any, *others: int, many: bool = False) -> dict[int, Any]:
    """The responses of an operation: its own, 400 and 401 as everywhere, and `others` (errors from 400 up)."""
    plain = {str: OpenApiTypes.STR, dict: OpenApiTypes.OBJECT}
    success: Any = plain[shape] if shape in plain else shape(many=True) if many else shape
    found: dict[int, Any] = {status: success}
    for other in {400, 401, *others}:
        found[other] = OpenApiResponse(
            ErrorSerializer if other >= 400 else None, description=DESCRIPTIONS[other]
        )
    return dict(sorted(found.items()))


def accepted(shape: Any, *others: int, many: bool = False) -> dict[int, Any]:
    """202 for the first call and 200 for a replay, of one shape."""
    return {202: shape(many=True) if many else shape, **answers(200, shape, *others, many=many)}


class ContractSchema(AutoSchema):
    def get_tags(self) -> list[str]:
        return [self.view.__module__.split(".")[0]]


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "config.api.auth.JwtAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
