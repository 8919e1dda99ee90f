"""The renderer of DOCX."""

from __future__ import annotations

from exports.renderers.archive import zipped
from exports.renderers.docx.embedding import embed
from exports.renderers.manifest import build_manifest
from exports.renderers.pictures import exported_bytes
from exports.renderers.reading import read_guide
from exports.renderers.rendered import Rendered, RenderedFile, RenderFailed
from exports.renderers.tree import count_blocks
from exports.snapshot import Document, ReadPicture

_MIME_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
# As many as one PDF may have; Word takes minutes to open more.
_MAX_BLOCKS = 30_000


class DocxRenderer:
    """Renders DOCX. Has no state and may be used by several threads at once."""

    def render(self, document: Document, read_picture: ReadPicture) -> Rendered:
        """Return the DOCX; raise AssetMissing, and RenderFailed for pictures that cannot be read."""
        # Here and not at the top of the module, for start-up time.
        from exports.renderers.docx.package import write_package

        guide = read_guide(document)
        if count_blocks(guide.nodes) > _MAX_BLOCKS:
            raise RenderFailed(
                f"The guide has more than {_MAX_BLOCKS:,} paragraphs, list items and table cells: "
                "too many for one DOCX."
            )
        pictures = [embed(placed, exported_bytes(placed, read_picture)) for placed in guide.pictures]
        entries = write_package(
            guide,
            document.look,
            identifier=document.instruction_version_id,
            pictures=pictures,
            is_sealed=document.key_id is not None,
        )
        placed = tuple(embedded.placed for embedded in pictures)
        shown = {each.name: each.picture.pixels_sha256 for each in placed}
        files = tuple(
            RenderedFile.of_picture(name, content, shown[name])
            if name in shown
            else RenderedFile.of(name, content)
            for name, content in entries
        )
        return Rendered(
            content=zipped(entries),
            mime_type=_MIME_TYPE,
            extension=".docx",
            files=files,
            manifest=build_manifest(document, format="DOCX", pictures=placed, files=files),
        )
