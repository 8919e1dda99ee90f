"""A zip of `instruction.md`, its pictures, and a manifest with the SHA-256 of each file."""

from __future__ import annotations

import json

from exports.look import Look
from exports.renderers.archive import zipped
from exports.renderers.compose import Composed, as_plain_text, compose
from exports.renderers.labels import facts_line, has_first_page, summary_of
from exports.renderers.manifest import build_manifest
from exports.renderers.pictures import exported_bytes
from exports.renderers.reading import guide_of
from exports.renderers.rendered import Rendered, RenderedFile
from exports.snapshot import Document, ReadPicture

_LOGO = "images/logo.png"


class MdZipRenderer:
    """Renders MD_ZIP. Has no state and may be used by several threads at once."""

    def render(self, document: Document, read_picture: ReadPicture) -> Rendered:
        """Return the zip; raise AssetMissing, and RenderFailed for pictures that cannot be read."""
        composed = compose(document)
        look = document.look
        text = ("instruction.md", _with_look(_with_facts(document, composed), look).encode())
        contents, files = [text], [RenderedFile.of(*text)]
        for placed in composed.pictures:
            contents.append((placed.name, exported_bytes(placed, read_picture)))
            files.append(RenderedFile.of_picture(*contents[-1], placed.picture.pixels_sha256))
        if look.logo:
            contents.append((_LOGO, look.logo))
            files.append(RenderedFile.of_picture(*contents[-1]))
        manifest = build_manifest(document, format="MD_ZIP", pictures=composed.pictures, files=files)
        pretty = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        return Rendered(
            content=zipped([*contents, ("manifest.json", pretty.encode())]),
            mime_type="application/zip",
            extension=".zip",
            files=tuple(files),
            manifest=manifest,
        )


def _with_facts(document: Document, composed: Composed) -> str:
    """Return the text with what is known of the recording as a paragraph below the title."""
    guide = guide_of(document, composed)
    shown = facts_line(guide) if has_first_page(guide) else summary_of(guide)
    lines = composed.markdown.split("\n")
    first = next(iter(composed.outline.blocks), None)
    at = first.last if first and first.level == 1 else 0
    if not shown:
        return composed.markdown
    return "\n".join(
        [*lines[:at], *([""] if at else []), as_plain_text(shown), "", *_without_blank(lines[at:])]
    )


def _without_blank(lines: list[str]) -> list[str]:
    return lines[1:] if lines and not lines[0].strip() else lines


def _with_look(markdown: str, look: Look) -> str:
    """Return the text below the logo, and above what stands below each guide of the project."""
    if look.logo:
        markdown = f"![]({_LOGO})\n\n{markdown}"
    if look.footer:
        markdown = f"{markdown.rstrip()}\n\n---\n\n{as_plain_text(look.footer)}\n"
    return markdown
