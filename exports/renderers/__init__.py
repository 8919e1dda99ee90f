"""The renderers by export format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from exports.renderers.docx.renderer import DocxRenderer
from exports.renderers.html import HtmlRenderer
from exports.renderers.md_zip import MdZipRenderer
from exports.renderers.pdf import PdfRenderer
from exports.renderers.rendered import Rendered, RenderedFile, Renderer, RenderFailed
from exports.snapshot import AssetMissing, Document, Picture

RENDERERS: dict[str, Renderer] = {
    "PDF": PdfRenderer(),
    "MD_ZIP": MdZipRenderer(),
    "HTML": HtmlRenderer(),
    "DOCX": DocxRenderer(),
}

__all__ = ["RENDERERS", "RenderFailed", "Rendered", "RenderedFile", "Renderer", "render_files"]


def render_files(format: str, document: Document, pictures: Mapping[str, Path]) -> Rendered:
    """Return the document in this format; `pictures` has the files of its pictures by asset id.

    Raise AssetMissing for a picture without a file, and RenderFailed.
    """

    def read_picture(picture: Picture) -> bytes:
        try:
            return pictures[picture.asset_id].read_bytes()
        except (KeyError, FileNotFoundError) as error:
            raise AssetMissing(picture.asset_id) from error

    return RENDERERS[format].render(document, read_picture)
