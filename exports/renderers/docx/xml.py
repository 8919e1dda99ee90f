"""Elements of the parts of a DOCX. Whatever a document says gets into them here, as a value and never as XML source."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any

from docx.oxml.ns import nsmap
from lxml import etree

# What documents and footers have names of; prefixes of python-docx.
_PREFIXES = ("w", "r", "wp", "a", "pic")

Element = Any  # lxml has no types


class _Storable(dict[int, str | None]):
    """A table for `str.translate`: white space becomes a space; what XML 1.0 (2.2) cannot hold, controls, and the
    byte order mark go; a surrogate becomes U+FFFD."""

    def __missing__(self, code: int) -> str | None:
        category = unicodedata.category(chr(code))
        if category in ("Zl", "Zp") or code in (0x09, 0x0A, 0x0D, 0x85):
            self[code] = " "
        elif category == "Cs":
            self[code] = "\ufffd"
        elif category == "Cc" or code == 0xFEFF or code & 0xFFFE == 0xFFFE:
            self[code] = None
        else:
            self[code] = chr(code)
        return self[code]


_STORABLE = _Storable()


def storable(text: str) -> str:
    """Return the text as an XML 1.0 file can hold it, on one line."""
    return text.translate(_STORABLE)


def root(name: str) -> Element:
    """Return an element such as `w:document` that declares the prefixes of all that may stand in it."""
    return etree.Element(_qualified(name), nsmap={prefix: nsmap[prefix] for prefix in _PREFIXES})


def add(parent: Element, name: str, text: str | None = None, /, **attributes: str | int) -> Element:
    """Add an element such as `w:p` at the end of another and return it.

    Names of attributes have the prefix `w` in an element with this prefix, and none in others; `r_id` is `r:id`.
    """
    values = {_attribute(name[:2], key): storable(str(value)) for key, value in attributes.items()}
    element = etree.SubElement(parent, _qualified(name), values)
    if text is not None:
        element.text = storable(text)
    return element


@lru_cache(maxsize=256)
def _qualified(name: str) -> str:
    """Return the name in Clark's notation, `{namespace}local`."""
    prefix, _, local = name.partition(":")
    return f"{{{nsmap[prefix]}}}{local}"


@lru_cache(maxsize=256)
def _attribute(start: str, key: str) -> str:
    prefix, _, local = key.partition("_")
    if local:
        return _qualified(f"{prefix}:{local}")
    return _qualified(f"w:{key}") if start == "w:" else key
