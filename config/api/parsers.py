"""The parser of request bodies."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from config.api.strict_json import NotStrictJson, parse_object


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return parse_object(stream.read())
        except NotStrictJson as error:
            raise ParseError(str(error)) from error
