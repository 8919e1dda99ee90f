"""Put the signed manifest into an artifact.

It is done after the rendering, outside the process that reads pictures, which has no private key. What was rendered
stays as it is, byte for byte: the envelope is appended, so the hashes that it states hold for what stands before it.
What is appended to a PDF beside the envelope could show other pages: its hash is signed too.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable

from exports.renderers.archive import add_entry
from exports.renderers.rendered import Rendered, RenderFailed
from exports.signing import ATTACHMENT_NAME, ENVELOPE_NAME, SigningKey, files_of, make_statement, payload_of

_UNKNOWN = "0" * 64
_TRAILER = re.compile(rb"trailer\s*<<(?P<fields>.*)>>\s*startxref\s+(?P<at>\d+)\s+%%EOF\s*\Z", re.DOTALL)


def seal(rendered: Rendered, key: SigningKey, *, format: str) -> bytes:
    """Return the artifact with the envelope of its manifest; as it is in a format that has room for none.

    Raise RenderFailed for a PDF that typst would not write.
    """
    if format not in SEALS:
        return rendered.content
    subjects = files_of(rendered.manifest)
    if format != "PDF":
        return SEALS[format](rendered.content, key.envelope(make_statement(rendered.manifest, subjects)))
    payload = payload_of(make_statement(rendered.manifest, [*subjects, (ATTACHMENT_NAME, _UNKNOWN)]))
    # With any other hash the envelope is as long, and so is all that stands around it.
    unknown = key.envelope_of(payload)
    attached = seal_pdf(rendered.content, unknown)[len(rendered.content) :].replace(unknown, b"", 1)
    before, _, after = payload.rpartition(_UNKNOWN.encode())
    known = before + hashlib.sha256(attached).hexdigest().encode() + after
    return seal_pdf(rendered.content, key.envelope_of(known))


def seal_zip(content: bytes, envelope: bytes) -> bytes:
    """Return a zip with the envelope as its last entry."""
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_STORED) as bundle:
        add_entry(bundle, ENVELOPE_NAME, envelope)
    return out.getvalue()


def seal_pdf(content: bytes, envelope: bytes) -> bytes:
    """Return a PDF with the envelope as an attached file, by an incremental update (ISO 32000-1, section 7.5.6).

    The file begins with all bytes of `content`. Raise RenderFailed for a PDF that typst would not write.
    """
    trailer = _TRAILER.search(content, max(0, content.rfind(b"trailer")))
    root = trailer and re.search(rb"/Root (\d+) 0 R", trailer["fields"])
    size = trailer and re.search(rb"/Size (\d+)", trailer["fields"])
    if not (trailer and root and size):
        raise RenderFailed("The PDF has no plain trailer, so the manifest cannot be attached.")
    number, catalog = int(root[1]), _object(content, int(root[1]))
    if b"/Names" in catalog or b"/AF" in catalog:
        raise RenderFailed("The PDF has attachments already, so the manifest cannot be attached.")
    first = int(size[1])
    name = ENVELOPE_NAME.encode()
    names = b"/Names<</EmbeddedFiles<</Names[(%b) %d 0 R]>>>>/AF[%d 0 R]>>" % (name, first + 1, first + 1)
    file = b"<</Type/EmbeddedFile/Subtype/application#2Fvnd.in-toto#2Bjson/Length %d/Params<</Size %d>>>>"
    described = (
        b"<</Type/Filespec/F(%b)/UF(%b)/Desc(The signed manifest)/AFRelationship/Data/EF<</F %d 0 R>>>>"
    )
    objects = {
        number: catalog.rstrip()[: -len(b">>")] + names,
        first: file % (len(envelope), len(envelope)) + b"\nstream\n" + envelope + b"\nendstream",
        first + 1: described % (name, name, first),
    }
    fields = trailer["fields"].replace(size[0], b"/Size %d" % (first + 2))
    return _updated(content, objects, fields=fields, previous=int(trailer["at"]))


def _updated(content: bytes, objects: dict[int, bytes], *, fields: bytes, previous: int) -> bytes:
    """Return a PDF with these objects beside or instead of its own, and a cross-reference section for them."""
    out = bytearray(content + (b"" if content.endswith(b"\n") else b"\n"))
    table = b"0 1\n%010d 65535 f\r\n" % 0
    for number, body in sorted(objects.items()):
        table += b"%d 1\n%010d 00000 n\r\n" % (number, len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    at = len(out)
    out += b"xref\n" + table
    out += b"trailer\n<<%b/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (fields, previous, at)
    return bytes(out)


def _object(content: bytes, number: int) -> bytes:
    """Return the body of an object that stands by itself; raise RenderFailed when there is none."""
    head = b"\n%d 0 obj" % number
    start = content.rfind(head)
    end = content.find(b"endobj", start)
    if start < 0 or end < 0:
        raise RenderFailed("The PDF has no catalogue, so the manifest cannot be attached.")
    return content[start + len(head) : end].strip()


# A DOCX is a zip too: its own parts must name the entry's type and say that it belongs to the package.
SEALS: dict[str, Callable[[bytes, bytes], bytes]] = {"PDF": seal_pdf, "MD_ZIP": seal_zip, "DOCX": seal_zip}
