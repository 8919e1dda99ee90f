"""The generation of the OpenAPI description: the answers, headers and error codes of operations."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer
from rest_framework.fields import CharField

from config.api.error_codes import CODES
from config.api.error_responses import COUNTED, ErrorSerializer, error_responses, headers
from config.api.negotiation import JsonNegotiation
from config.api.viewsets import ApiViewSet

SUCCESSES = {
    "200": "Done.",
    "201": "Created.",
    "202": "Accepted; poll Location.",
    "204": "Done; the answer has no body.",
    "206": "A part, as Range asked.",
    "302": "Elsewhere, by a signed URL.",
    "304": "Not modified since that ETag.",
}
REPLAY = "A replay: this was asked for before, and nothing new was begun."
PLAIN = {str: OpenApiTypes.STR, bytes: OpenApiTypes.BINARY}
# No NUL anywhere: PostgreSQL stores none. What is not blank has a character that is no white space.
NO_NUL = r"^[^\u0000]*$"
NOT_BLANK = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
PARAMETERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "An id of the caller's own, to find the request in the log by: 1 to 128 letters, digits, "
        "dots, underscores and hyphens. Any other is replaced by a new one.",
        "schema": {"type": "string"},
    },
    "Idempotency-Key": {
        "description": "The same key and body within 24 h answer what the first request made.",
        "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
    },
    "If-None-Match": {
        "description": "ETags (RFC 9110, section 13.1.2); one that still holds is answered by 304.",
        "schema": {"type": "string"},
    },
    "If-Match": {
        "description": "The ETag that the write is based on (RFC 9110, section 13.1.1).",
        "schema": {"type": "string"},
    },
    "Prefer": {
        "description": "With `respond-async` (RFC 7240, section 4.1) the answer is a task to poll; also among other "
        "preferences, which are ignored.",
        "schema": {"type": "string"},
    },
    "Range": {"description": "One range of bytes (RFC 9110, section 14.2).", "schema": {"type": "string"}},
}


class Responses(dict[Any, Any]):
    """The success responses of an operation by status, for drf-spectacular, with its own error codes and the names
    of its headers in successes and requests."""

    def __init__(
        self,
        shapes: dict[Any, Any],
        codes: tuple[str, ...] = (),
        *,
        response_headers: tuple[str, ...] = (),
        request_headers: tuple[str, ...] = (),
    ) -> None:
        super().__init__(shapes)
        self.codes, self.response_headers, self.request_headers = codes, response_headers, request_headers
        if unknown := set(codes) - set(CODES):
            raise ValueError(f"not in the catalogue of error codes: {unknown}")


def responses(
    status: int,
    shape: Any,
    *codes: str,
    many: bool = False,
    media: tuple[str, ...] = (),
    response_headers: tuple[str, ...] = (),
    request_headers: tuple[str, ...] = (),
    redirects: bool = False,
) -> Responses:
    """Return the responses of an operation with one kind of success, and its own error codes.

    `shape` is a serializer class, `str`, `bytes`, or None for no body; `media` its types if not JSON.
    """
    success: Any = PLAIN[shape] if shape in PLAIN else shape(many=True) if many else shape
    shapes = {(status, *media) if media else status: success}
    if "If-None-Match" in request_headers:
        shapes[304] = None
    if redirects:
        shapes[302] = None
    if "Range" in request_headers:
        shapes |= {(206, *media): success}
        codes = (*codes, "RANGE_NOT_SATISFIABLE")
    sent = (*response_headers, "Link") if many else response_headers
    return Responses(shapes, codes, response_headers=sent, request_headers=request_headers)


def accepted(shape: Any, *codes: str) -> Responses:
    """Return 202 for the first call and 200 for a replay, with the same shape."""
    return Responses({200: shape, 202: shape}, codes)


def accepted_if_preferred(shape: Any, task: Any, *codes: str) -> Responses:
    """Return 200 with `shape`; with `Prefer: respond-async` 202 with `task`, and 200 with it for a replay."""
    name = f"{task.__name__.removesuffix('Serializer')}Or{shape.__name__.removesuffix('Serializer')}"
    either = PolymorphicProxySerializer(name, [shape, task], None)
    sent, asked = ("Preference-Applied",), ("Prefer",)
    return Responses({200: either, 202: task}, codes, response_headers=sent, request_headers=asked)


def created_once(shape: Any, *codes: str) -> Responses:
    """Return 201 for the first call and 200 for a replay with its Idempotency-Key, with the same shape."""
    return Responses(
        {200: shape, 201: shape},
        (*codes, "IDEMPOTENCY_KEY_REUSED"),
        request_headers=("Idempotency-Key",),
    )


def examples(
    asked: Any = None, by_status: dict[int, Any] | None = None, *, media: str | None = None
) -> list[OpenApiExample]:
    """Return the examples of an operation: of its request body, and of its answer for each status."""
    request = [] if asked is None else [OpenApiExample("Request", asked, request_only=True)]
    return request + [
        OpenApiExample("Answer", value, response_only=True, status_codes=[status], media_type=media)
        for status, value in (by_status or {}).items()
    ]


class ContractSchema(AutoSchema):
    """Adds the shared errors, headers and request ids to each operation."""

    def get_override_parameters(self) -> list[Any]:
        view = cast(ApiViewSet[Any], self.view)
        serializer = view.query_serializers.get(view.action)
        return [serializer] if serializer else []

    def get_tags(self) -> list[str]:
        return [self.view.__module__.split(".")[0]]

    def get_description(self) -> str:  # type: ignore[override]
        """Return "", the description without `extend_schema`, as docstrings are for readers of the code."""
        return ""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        own = self.get_response_serializers()
        # For whoever writes an endpoint: it is met by `make spec`, and never in a request.
        assert isinstance(own, Responses), f"{operation['operationId']}: say responses=responses(...)"  # nosec B101
        self.resolve_serializer(ErrorSerializer, "response")
        operation.setdefault("security", [])
        replays = (
            len({"200", "201", "202"} & set(operation["responses"])) > 1
            and "Prefer" not in own.request_headers
        )
        for status, response in operation["responses"].items():
            response["description"] = REPLAY if replays and status == "200" else SUCCESSES[status]
            counted = COUNTED if {"bearer": []} in operation["security"] else []
            response["headers"] = headers(self.registry, *_sent(own, status), *counted, "X-Request-ID")
        errors = error_responses(self.registry, {*own.codes, *self._shared_codes(operation)})
        by_status = dict(sorted({**operation.pop("responses"), **errors}.items()))
        parameters = operation.pop("parameters", []) + [
            self._share(ResolvedComponent.PARAMETER, name, {"in": "header", "name": name, **PARAMETERS[name]})
            for name in (*own.request_headers, "X-Request-ID")
        ]
        return {**operation, "parameters": parameters, "responses": by_status}

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer_field(field, direction, bypass_extensions)
        return named_parts(schema, self.registry)

    def _shared_codes(self, operation: dict[str, Any]) -> set[str]:
        """Return the error codes that an operation shares with others."""
        codes = {"VALIDATION_ERROR", "INTERNAL_ERROR", "SERVICE_UNAVAILABLE"}
        if {"bearer": []} in operation["security"]:
            codes |= {"UNAUTHENTICATED", "RATE_LIMITED"}
        if "{" in self.path:
            codes.add("RESOURCE_NOT_FOUND")
        if self.view.content_negotiation_class is JsonNegotiation:
            codes.add("NOT_ACCEPTABLE")
            if self.method in {"POST", "PUT"}:
                codes |= {"REQUEST_TIMEOUT", "LENGTH_REQUIRED", "PAYLOAD_TOO_LARGE"}
            if "requestBody" in operation:
                codes.add("UNSUPPORTED_MEDIA_TYPE")
        return codes

    def _share(self, kind: str, name: str, content: dict[str, Any]) -> dict[str, Any]:
        component = ResolvedComponent(name=name, type=kind, schema=content, object=name)
        self.registry.register_on_missing(component)
        ref: dict[str, Any] = component.ref
        return ref


def _sent(own: Responses, status: str) -> tuple[str, ...]:
    """Return the names of the headers of a success with this status."""
    if status == "202":
        return (*own.response_headers, "Location", "Retry-After")
    if status == "302":
        return ("Location", "Cache-Control")
    if status == "206":
        return (*own.response_headers, "Content-Range")
    if status == "304":  # RFC 9110, section 15.4.5
        return tuple(name for name in own.response_headers if name in {"Cache-Control", "ETag"})
    if status == "200" and "Idempotency-Key" in own.request_headers:
        return ("Idempotent-Replayed",)
    return own.response_headers


def named_parts(schema: Any, registry: ComponentRegistry) -> Any:
    """Return a schema whose parts with a `title` are references to components of these names.

    A `discriminator` is completed by its mapping. Raise ValueError for two different parts with one name.
    """
    if isinstance(schema, list):
        return [named_parts(part, registry) for part in schema]
    if not isinstance(schema, dict):
        return schema
    new = {key: named_parts(value, registry) for key, value in schema.items()}
    if "discriminator" in new:
        name = new["discriminator"]["propertyName"]
        consts = [part["properties"][name]["const"] for part in schema["oneOf"]]
        refs = [part["$ref"] for part in new["oneOf"]]
        new["discriminator"] = {"propertyName": name, "mapping": dict(zip(consts, refs, strict=True))}
    if not isinstance(title := new.get("title"), str):
        return new
    del new["title"]
    component = ResolvedComponent(name=title, type=ResolvedComponent.SCHEMA, schema=new, object=title)
    registry.register_on_missing(component)
    if registry[component].schema != new:
        raise ValueError(f"two schemas are named {title}")
    return component.ref


class StrictBody(OpenApiSerializerExtension):
    """Describes that request bodies have no unknown fields and no blank strings. The `schema_rules` of a serializer
    are JSON Schema keywords for its checks between fields."""

    target_class = "config.api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        for name, field in self.target.fields.items():
            shown = schema["properties"][name]
            if isinstance(field, CharField) and "$ref" not in shown and "enum" not in shown:
                shown.setdefault("minLength", 0 if field.allow_blank else 1)
                shown.setdefault("pattern", NO_NUL if field.allow_blank else NOT_BLANK)
        if not vars(type(self.target)).get("__doc__"):
            schema.pop("description", None)  # of a base class
        return {**schema, "additionalProperties": False, **getattr(self.target, "schema_rules", {})}


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "config.accounts.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        kinds = "A JWT of the identity provider, or an API token (swt_...)."
        return {"type": "http", "scheme": "bearer", "description": kinds}
