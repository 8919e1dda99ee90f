"""The drawing that shows a picture in a line of text (DrawingML, ECMA-376 part 1, 20)."""

from __future__ import annotations

from dataclasses import dataclass

from exports.renderers.docx.xml import Element, add

_EMU_PER_POINT = 12_700
_HAIRLINE = 7_620  # EMU: 0.6 points


@dataclass(frozen=True)
class Drawing:
    """A picture: `number` counts from 1, `relation` is the document's to its part, `size` is in points."""

    number: int
    relation: str
    alt: str
    size: tuple[float, float]
    has_frame: bool = True


def add_picture(paragraph: Element, picture: Drawing) -> None:
    """Add the picture to a paragraph, in the line, with its description and a hairline around it."""
    width, height = (max(1, round(length * _EMU_PER_POINT)) for length in picture.size)
    name = f"Picture {picture.number}"
    inline = add(add(add(paragraph, "w:r"), "w:drawing"), "wp:inline", distT=0, distB=0, distL=0, distR=0)
    add(inline, "wp:extent", cx=width, cy=height)
    add(inline, "wp:effectExtent", l=_HAIRLINE, t=_HAIRLINE, r=_HAIRLINE, b=_HAIRLINE)
    add(inline, "wp:docPr", id=picture.number, name=name, descr=picture.alt)
    add(add(inline, "wp:cNvGraphicFramePr"), "a:graphicFrameLocks", noChangeAspect=1)
    kind = "http://schemas.openxmlformats.org/drawingml/2006/picture"
    shown = add(add(add(inline, "a:graphic"), "a:graphicData", uri=kind), "pic:pic")
    about = add(shown, "pic:nvPicPr")
    add(about, "pic:cNvPr", id=picture.number, name=name, descr=picture.alt)
    add(about, "pic:cNvPicPr")
    fill = add(shown, "pic:blipFill")
    add(fill, "a:blip", r_embed=picture.relation)
    add(add(fill, "a:stretch"), "a:fillRect")
    shape = add(shown, "pic:spPr")
    frame = add(shape, "a:xfrm")
    add(frame, "a:off", x=0, y=0)
    add(frame, "a:ext", cx=width, cy=height)
    add(add(shape, "a:prstGeom", prst="rect"), "a:avLst")
    if picture.has_frame:
        add(add(add(shape, "a:ln", w=_HAIRLINE), "a:solidFill"), "a:srgbClr", val="D3D7E0")
