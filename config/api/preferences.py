"""What a request would like, in its `Prefer` header (RFC 7240)."""

from __future__ import annotations

import re

from rest_framework.request import Request

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_WORD = rf'(?:{_TOKEN}|"(?:[^"\\]|\\.)*")'
_PARAMETER = rf"{_TOKEN}(?:[ \t]*=[ \t]*{_WORD})?"
# A preference, with its value and its parameters; section 2. A header that stands several times is joined by commas.
_PREFERENCE = re.compile(
    rf"[ \t,]*(?P<name>{_TOKEN})(?:[ \t]*=[ \t]*(?P<value>{_WORD}))?(?:[ \t]*;(?:[ \t]*{_PARAMETER})?)*[ \t]*(?=,|$)"
)
RESPOND_ASYNC = "respond-async"
"""To be told where to ask, not to wait for the result (section 4.1)."""


def prefers(request: Request, name: str) -> bool:
    """Return whether the request has a preference of this name, in any case, without a value.

    A header is read up to where it is malformed: preferences are wishes, so nothing is refused for them.
    """
    header, at = request.headers.get("Prefer", ""), 0
    while found := _PREFERENCE.match(header, at):
        if found["name"].lower() == name:
            return found["value"] in (None, '""')
        at = found.end()
    return False
