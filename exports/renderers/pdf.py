"""PDF by typst: A4, tagged for screen readers (PDF/UA-1, ISO 14289-1), always the same bytes.

The document reaches the template `guide.typ` as JSON values, never as typst source, so nothing in a text is
ever run. Typst sees one folder made for this rendering, no fonts but ours, no clock and no network.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typst
from PIL import Image

from exports.renderers import fonts
from exports.renderers.layout import lay_out
from exports.renderers.pictures import exported_bytes
from exports.renderers.reading import read_guide
from exports.renderers.rendered import Rendered, RenderedFile, RenderFailed
from exports.renderers.tree import Guide, count_blocks
from exports.snapshot import Document, ReadPicture

ARTIFACT_NAME = "instruction.pdf"
_TEMPLATE = Path(__file__).with_name("guide.typ")
# About 600 pages, 20 s and 700 MB. A text of 1 MiB can hold ten times as many, which no worker would survive.
_MOST_BLOCKS = 30_000
# typst keeps decoded pictures until ten more compilations went by without them.
_COMPILATIONS_TO_FORGET = 11


class PdfRenderer:
    """Holds no state; may be used by several threads at once."""

    def render(self, document: Document, read_picture: ReadPicture) -> Rendered:
        """Raises AssetMissing, and RenderFailed with typst's diagnostics as its cause."""
        guide = read_guide(document)
        if count_blocks(guide.nodes) > _MOST_BLOCKS:
            raise RenderFailed(
                f"The guide has more than {_MOST_BLOCKS:,} paragraphs, list items and table cells: "
                "too many for one PDF."
            )
        with TemporaryDirectory(prefix="stepwright-pdf-") as name:
            folder = Path(name)
            files, sizes = _write_pictures(folder, guide, read_picture)
            (folder / "guide.json").write_text(json.dumps(lay_out(guide, sizes)), encoding="ascii")
            (folder / "guide.typ").write_bytes(_TEMPLATE.read_bytes())
            content = _compile(folder)
        return Rendered(
            content=content,
            mime_type="application/pdf",
            extension=".pdf",
            files=(*files, RenderedFile.of(ARTIFACT_NAME, content)),
        )


def _write_pictures(
    folder: Path, guide: Guide, read_picture: ReadPicture
) -> tuple[list[RenderedFile], Mapping[str, tuple[int, int]]]:
    (folder / "images").mkdir()
    files = []
    sizes = {}
    for placed in guide.pictures:
        content = exported_bytes(placed, read_picture)
        try:
            with Image.open(io.BytesIO(content)) as picture:
                sizes[placed.name] = picture.size
        except (OSError, ValueError, SyntaxError) as error:
            raise RenderFailed(f"The picture {placed.name} cannot be read.") from error
        (folder / placed.name).write_bytes(content)
        files.append(RenderedFile.of(placed.name, content))
    return files, sizes


def _compile(folder: Path) -> bytes:
    settings: dict[str, Any] = {"format": "pdf", "font_paths": fonts.fonts(), "ignore_system_fonts": True}

    def compiled(standards: list[Any]) -> Any:
        return typst.compile(folder / "guide.typ", root=folder, pdf_standards=standards, **settings)

    try:
        try:
            content: bytes = compiled(["ua-1"])
        except typst.TypstError as error:
            if not str(error).startswith("PDF/UA-1"):
                raise
            # Characters that fonts draw one by one and not together. A guide with a box in it, tagged all the
            # same, serves people better than none.
            content = compiled([])
        return content
    except typst.TypstError as error:
        raise RenderFailed("The PDF could not be typeset.") from error
    finally:
        # A worker lives long: without this it would hold the pictures of its last ten exports.
        for _ in range(_COMPILATIONS_TO_FORGET):
            typst.compile(b"", **settings)
