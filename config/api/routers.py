"""How viewsets get their paths."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter


class ApiRouter(SimpleRouter):
    """Routes without trailing slashes, by Django's path converters: the API description then shows an id as
    a plain string, where it would give the regular expression of a route."""

    def __init__(self) -> None:
        super().__init__(trailing_slash=False, use_regex_path=False)


class DetailRouter(ApiRouter):
    """Routes of single resources, for viewsets whose `list` and `create` stand under the path of a parent."""

    routes = [route for route in SimpleRouter.routes if route.detail]
