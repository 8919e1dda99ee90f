"""Routers, which give viewsets their paths."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter


class ApiRouter(SimpleRouter):
    """Routes without trailing slashes, by Django's path converters. With regular expressions, the API description
    would give the expression as the pattern of an id."""

    def __init__(self) -> None:
        super().__init__(trailing_slash=False, use_regex_path=False)


class DetailRouter(ApiRouter):
    """Routes of single resources, for viewsets whose `list` and `create` are under the path of a parent."""

    routes = [route for route in SimpleRouter.routes if route.detail]
