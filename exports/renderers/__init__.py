"""The renderers by export format."""

from __future__ import annotations

from exports.renderers.md_zip import MdZipRenderer
from exports.renderers.pdf import PdfRenderer
from exports.renderers.rendered import Rendered, RenderedFile, Renderer, RenderFailed

RENDERERS: dict[str, Renderer] = {"PDF": PdfRenderer(), "MD_ZIP": MdZipRenderer()}

__all__ = ["RENDERERS", "RenderFailed", "Rendered", "RenderedFile", "Renderer"]
