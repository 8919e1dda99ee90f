"""Zip files whose bytes depend on their content alone."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

# The earliest time in the format of a zip entry (APPNOTE 4.4.6 counts years from 1980).
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_READABLE_FILE = 0o100644 << 16


def zipped(contents: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a zip with stored entries: deflate differs between builds of zlib, and pictures do not shrink."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as bundle:
        for name, content in contents:
            add_entry(bundle, name, content)
    return out.getvalue()


def add_entry(bundle: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Write an entry that says nothing of the time and of the machine."""
    entry = zipfile.ZipInfo(name, _ZIP_EPOCH)
    entry.create_system = _UNIX
    entry.external_attr = _READABLE_FILE
    bundle.writestr(entry, content)
