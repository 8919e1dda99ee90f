"""HTML: one file with its pictures and its stylesheet inside, which needs no script and loads nothing.

Text of a document becomes markup in one place, `markup.element`, which escapes it. The page's own content security
policy (W3C Content Security Policy Level 3) allows that stylesheet by its hash and pictures in `data:` addresses, and
nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from exports.look import Look
from exports.renderers.compose import PlacedPicture
from exports.renderers.html_body import ShownPicture, body_of
from exports.renderers.labels import page_label
from exports.renderers.manifest import build_manifest
from exports.renderers.markup import Html, element, style_element
from exports.renderers.pictures import exported_bytes, size_of
from exports.renderers.reading import read_guide
from exports.renderers.rendered import Rendered, RenderedFile
from exports.renderers.tree import Guide
from exports.snapshot import Document, ReadPicture

ARTIFACT_NAME = "instruction.html"
_STYLESHEETS = [Path(__file__).with_name(name) for name in ("guide.css", "guide_print.css")]
# In the stylesheet, where the word before the page number goes.
_PAGE_WORD = "PAGE_WORD "
# An accent is dark enough for white letters; on a dark ground it is made lighter.
_ACCENT = """
:root {
  --accent: COLOR;
  --badge: COLOR;
  --faint: color-mix(in srgb, COLOR 30%, white);
  --tint: color-mix(in srgb, COLOR 8%, white);
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --accent: color-mix(in srgb, COLOR 35%, white);
    --badge: COLOR;
    --faint: color-mix(in srgb, COLOR 60%, black);
    --tint: color-mix(in srgb, COLOR 25%, #13151b);
  }
}
"""


class HtmlRenderer:
    """Renders HTML. Has no state and may be used by several threads at once."""

    def render(self, document: Document, read_picture: ReadPicture) -> Rendered:
        """Return the page; raise AssetMissing, and RenderFailed for pictures that cannot be read."""
        guide = read_guide(document)
        files: list[RenderedFile] = []

        def show(placed: PlacedPicture) -> ShownPicture:
            content = exported_bytes(placed, read_picture)
            files.append(RenderedFile.of_picture(placed.name, content, placed.picture.pixels_sha256))
            return (content, *size_of(placed.name, content))

        body = body_of(guide, show, document.look)
        head = head_of(guide.title, stylesheet_of(guide.language, document.look))
        page = element("html", head, "\n", body, lang=language_of(guide), dir=_direction(guide))
        content = b"<!DOCTYPE html>\n" + bytes(page) + b"\n"
        files.append(RenderedFile.of(ARTIFACT_NAME, content))
        return Rendered(
            content=content,
            mime_type="text/html; charset=utf-8",
            extension=".html",
            files=tuple(files),
            manifest=build_manifest(document, format="HTML", pictures=guide.pictures, files=files),
        )


def head_of(title: str, stylesheet: str) -> Html:
    """Return the head of a page that needs this stylesheet and the pictures inside of it, and is given nothing else."""
    digest = base64.b64encode(hashlib.sha256(stylesheet.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        # Numbers are not made links to call.
        element("meta", name="format-detection", content="telephone=no"),
        element("title", title),
        style_element(stylesheet),
    )


def stylesheet_of(language: str, look: Look) -> str:
    """Return `guide.css` for a page in this language, in the colours of this look."""
    word = page_label(language)
    written = "".join(path.read_text("utf-8") for path in _STYLESHEETS)
    stylesheet = written.replace(_PAGE_WORD, f"{word} " if word else "")
    if look.accent_color:
        stylesheet += _ACCENT.replace("COLOR", look.accent_color)
    return stylesheet


def language_of(guide: Guide) -> str:
    """Return a guide's language as a tag of BCP 47."""
    return f"{guide.language}-{guide.region}" if guide.region else guide.language


def _direction(guide: Guide) -> str:
    return "rtl" if guide.is_rtl else "ltr"
