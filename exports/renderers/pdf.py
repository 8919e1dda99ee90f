"""PDF by typst, on A4 or Letter, tagged for screen readers (PDF/UA-1, ISO 14289-1).

The document reaches the template `guide.typ` as JSON values, never as typst source, so no text of a document
is run. Typst gets one folder made for the rendering and the fonts of `font_files`, no clock and no network.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from exports.renderers import fonts
from exports.renderers.layout import LOGO_NAME, lay_out
from exports.renderers.manifest import build_manifest
from exports.renderers.pictures import exported_bytes, size_of, with_eight_bits
from exports.renderers.reading import read_guide
from exports.renderers.rendered import Rendered, RenderedFile, RenderFailed
from exports.renderers.tree import Guide, count_blocks
from exports.snapshot import Document, ReadPicture

ARTIFACT_NAME = "instruction.pdf"
_TEMPLATE = Path(__file__).with_name("guide.typ")
# About 600 pages, 20 s and 700 MB. A text of 1 MiB can hold ten times as many: too many for a worker's memory.
_MAX_BLOCKS = 30_000
# typst drops a decoded picture from its cache after ten compilations without it.
_COMPILATIONS_TO_FORGET = 11


class PdfRenderer:
    """Renders PDF. Has no state and may be used by several threads at once."""

    def render(self, document: Document, read_picture: ReadPicture) -> Rendered:
        """Return the PDF; raise AssetMissing, and RenderFailed with typst's diagnostics as its cause."""
        guide = read_guide(document)
        if count_blocks(guide.nodes) > _MAX_BLOCKS:
            raise RenderFailed(
                f"The guide has more than {_MAX_BLOCKS:,} paragraphs, list items and table cells: "
                "too many for one PDF."
            )
        with TemporaryDirectory(prefix="stepwright-pdf-") as name:
            folder = Path(name)
            picture_files, sizes = _write_pictures(folder, guide, read_picture)
            if document.look.logo:
                (folder / LOGO_NAME).write_bytes(document.look.logo)
                sizes[LOGO_NAME] = size_of(LOGO_NAME, document.look.logo)
            (folder / "guide.json").write_text(
                json.dumps(lay_out(guide, sizes, document.look)), encoding="ascii"
            )
            (folder / "guide.typ").write_bytes(_TEMPLATE.read_bytes())
            content, pages = _compile(folder)
        files = (*picture_files, RenderedFile.of(ARTIFACT_NAME, content))
        return Rendered(
            content=content,
            mime_type="application/pdf",
            extension=".pdf",
            files=files,
            manifest=build_manifest(
                document, format="PDF", pictures=guide.pictures, files=files, pages=pages
            ),
        )


def _write_pictures(
    folder: Path, guide: Guide, read_picture: ReadPicture
) -> tuple[list[RenderedFile], dict[str, tuple[int, int]]]:
    """Write the pictures to the folder; return their files, and their sizes in pixels by name."""
    (folder / "images").mkdir()
    files = []
    sizes = {}
    for placed in guide.pictures:
        content = exported_bytes(placed, read_picture)
        sizes[placed.name] = size_of(placed.name, content)
        (folder / placed.name).write_bytes(with_eight_bits(placed.name, content))
        files.append(RenderedFile.of_picture(placed.name, content, placed.picture.pixels_sha256))
    return files, sizes


def _compile(folder: Path) -> tuple[bytes, dict[str, int]]:
    """Return the PDF of the folder's `guide.typ`, and by the name of each picture the page that it stands on.

    Raise RenderFailed when typst refuses it.
    """
    # Here and not at the top of the module, for start-up time.
    import typst

    world: dict[str, Any] = {"font_paths": fonts.fonts(), "ignore_system_fonts": True}

    try:
        # One compiler for both questions, as it keeps what it has laid out.
        compiler = typst.Compiler(folder / "guide.typ", root=folder, **world)
        try:
            content: Any = compiler.compile(format="pdf", pdf_standards=["ua-1"])
        except typst.TypstError as error:
            if not str(error).startswith("PDF/UA-1"):
                raise
            # PDF/UA-1 requires a glyph for every character, and fonts may lack one for a combination of
            # characters that they have. Without the standard it is drawn as a box, and the tags stay.
            content = compiler.compile(format="pdf", pdf_standards=[])
        (pages,) = json.loads(compiler.query("<pages>", field="value"))
        return content, dict(pages)
    except typst.TypstError as error:
        raise RenderFailed("The PDF could not be typeset.") from error
    finally:
        # Without this a worker process keeps the decoded pictures of its last ten exports in memory.
        (folder / "nothing.typ").touch()
        nothing = typst.Compiler(folder / "nothing.typ", root=folder, **world)
        for _ in range(_COMPILATIONS_TO_FORGET):
            nothing.compile(format="pdf")
