"""The package of a DOCX: its parts by python-docx, its bytes without a clock (Open Packaging Conventions, ECMA-376
part 2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from docx.opc.constants import CONTENT_TYPE, NAMESPACE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.opc.parts.coreprops import CorePropertiesPart
from docx.oxml.coreprops import CT_CoreProperties
from docx.oxml.parser import parse_xml
from docx.package import Package
from docx.parts.document import DocumentPart
from docx.parts.hdrftr import FooterPart
from docx.parts.numbering import NumberingPart
from docx.parts.settings import SettingsPart
from docx.parts.styles import StylesPart
from lxml import etree

from exports.look import ACCENT, Look
from exports.renderers.docx.body import Body
from exports.renderers.docx.bookmarks import Bookmarks
from exports.renderers.docx.drawings import Drawing, add_picture
from exports.renderers.docx.embedding import Embedded
from exports.renderers.docx.first_page import add_first_page
from exports.renderers.docx.numbering import Numbering
from exports.renderers.docx.paragraphs import Place, add_paragraph
from exports.renderers.docx.runs import Links, RunLook, add_text
from exports.renderers.docx.xml import Element, add, root, storable
from exports.renderers.labels import has_first_page, page_label, summary_of
from exports.renderers.layout import footer_text, logo_size, picture_sizes
from exports.renderers.pictures import size_of
from exports.renderers.text import is_rtl
from exports.renderers.tree import Guide
from exports.signing import ENVELOPE_NAME

_STYLES = Path(__file__).with_name("styles.xml")
_TYPES = {"png": CONTENT_TYPE.PNG, "jpg": CONTENT_TYPE.JPEG}
# Width and height of the paper, and the margins of the PDF, in twips: badges hang in the wider one, where lines begin.
_PAPERS = {"A4": (11_906, 16_838, 1_040, 1_500), "LETTER": (12_240, 15_840, 1_207, 1_667)}
_SEAL = "https://stepwright.example/relationships/signed-manifest"
# The accent in the styles, and the lighter one of lines.
_ACCENT_IN_STYLES, _LINE_IN_STYLES, _LIGHTER = b"3730A3", b"AFACDA", 0.6
_MAX_PROPERTY = 255  # characters that python-docx takes
_EAST_ASIAN_FONTS = {
    "zh-TW": "Microsoft JhengHei",
    "zh-HK": "Microsoft JhengHei",
    "ja": "Yu Gothic",
    "ko": "Malgun Gothic",
}


def write_package(
    guide: Guide, look: Look, *, identifier: str, pictures: Sequence[Embedded], is_sealed: bool
) -> list[tuple[str, bytes]]:
    """Return the files of the DOCX of a guide by name, in the order in which they stand in it.

    `pictures` are those of the guide, in its order. With `is_sealed` it names the signed manifest, which is put in
    afterwards.
    """
    accent = (look.accent_color or ACCENT).removeprefix("#").upper()
    package = Package()
    document, footer = root("w:document"), root("w:ftr")
    main = DocumentPart(PackURI("/word/document.xml"), CONTENT_TYPE.WML_DOCUMENT_MAIN, document, package)
    package.relate_to(main, RELATIONSHIP_TYPE.OFFICE_DOCUMENT)
    package.relate_to(_core_properties(guide, identifier, package), RELATIONSHIP_TYPE.CORE_PROPERTIES)
    styles = StylesPart(PackURI("/word/styles.xml"), CONTENT_TYPE.WML_STYLES, _styles(guide, accent), package)
    main.relate_to(styles, RELATIONSHIP_TYPE.STYLES)
    settings = SettingsPart(PackURI("/word/settings.xml"), CONTENT_TYPE.WML_SETTINGS, _settings(), package)
    main.relate_to(settings, RELATIONSHIP_TYPE.SETTINGS)
    pixels = {placed.name: embedded.pixels for placed, embedded in zip(guide.pictures, pictures, strict=True)}
    sizes = picture_sizes(guide, pixels, look)
    drawings = {
        placed.name: _drawing(main, embedded, number, sizes[placed.name])
        for number, (placed, embedded) in enumerate(zip(guide.pictures, pictures, strict=True), start=1)
    }
    numbering = Numbering()
    place = Place(guide.is_rtl, _lighter(accent))
    _fill_footer(footer, guide, look, place)
    last = FooterPart(PackURI("/word/footer1.xml"), CONTENT_TYPE.WML_FOOTER, footer, package)
    body = add(document, "w:body")
    if look.logo:
        _add_logo(body, main, look.logo, len(pictures) + 1, place)
    writer = Body(Links(main), numbering, drawings, Bookmarks())
    below = main.relate_to(last, RELATIONSHIP_TYPE.FOOTER)
    _add_sections(body, guide, look, writer, place, below)
    element = numbering.element(accent)
    numbered = NumberingPart(PackURI("/word/numbering.xml"), CONTENT_TYPE.WML_NUMBERING, element, package)
    main.relate_to(numbered, RELATIONSHIP_TYPE.NUMBERING)
    return _files(package, is_sealed=is_sealed)


def _add_sections(
    body: Element, guide: Guide, look: Look, writer: Body, place: Place, footer_relation: str
) -> None:
    """Add all that is read: a long guide in two sections, of which the first is its first page."""
    if not has_first_page(guide):
        _add_opening(body, guide, place)
        writer.flow(body, guide.nodes, place)
        _add_section(body, footer_relation, look.paper_size, is_rtl=place.is_rtl)
        return
    count = add_first_page(body, guide, look, writer, place)
    properties_of_last = body[-1][0]
    _add_section(properties_of_last, footer_relation, look.paper_size, is_rtl=place.is_rtl)
    writer.flow(body, guide.nodes[count:], place)
    _add_section(body, None, look.paper_size, is_rtl=place.is_rtl)


def _drawing(main: DocumentPart, embedded: Embedded, number: int, size: tuple[float, float]) -> Drawing:
    """Add the part of a picture, by the name that the manifest gives it."""
    placed, content, _ = embedded
    uri = PackURI(f"/{placed.name}")
    part = Part(uri, _TYPES[uri.ext], content, main.package)
    return Drawing(number, main.relate_to(part, RELATIONSHIP_TYPE.IMAGE), placed.alt, size)


def _add_logo(body: Element, main: DocumentPart, logo: bytes, number: int, place: Place) -> None:
    part = Part(PackURI("/word/media/logo.png"), CONTENT_TYPE.PNG, logo, main.package)
    relation = main.relate_to(part, RELATIONSHIP_TYPE.IMAGE)
    size = logo_size(*size_of("logo.png", logo))
    add_picture(
        add_paragraph(body, "Normal", place.kept()), Drawing(number, relation, "", size, has_frame=False)
    )


def _core_properties(guide: Guide, identifier: str, package: Package) -> CorePropertiesPart:
    """Return the part with title, language and identifier, and without a time."""
    element = CT_CoreProperties.new()
    part = CorePropertiesPart(
        PackURI("/docProps/core.xml"), CONTENT_TYPE.OPC_CORE_PROPERTIES, element, package
    )
    properties = part.core_properties
    properties.title = storable(guide.title)[:_MAX_PROPERTY]
    properties.language = _tag(guide)
    properties.identifier = identifier
    return part


def _tag(guide: Guide) -> str:
    return f"{guide.language}-{guide.region}" if guide.region else guide.language


def _styles(guide: Guide, accent: str) -> Element:
    """Return the root of the part of the styles, for the language of the guide; `accent` is as `RRGGBB`."""
    written = _STYLES.read_bytes().replace(_ACCENT_IN_STYLES, accent.encode())
    styles = parse_xml(written.replace(_LINE_IN_STYLES, _lighter(accent).encode()))
    tag = _tag(guide)
    font = _EAST_ASIAN_FONTS.get(tag) or _EAST_ASIAN_FONTS.get(guide.language)
    # python-docx's elements find the prefix w by themselves.
    (fonts,) = styles.xpath("w:docDefaults//w:rFonts")
    (languages,) = styles.xpath("w:docDefaults//w:lang")
    prefix = fonts.tag.removesuffix("rFonts")
    if font:
        fonts.set(f"{prefix}eastAsia", font)
    languages.set(f"{prefix}val", tag)
    if guide.language in ("zh", "ja", "ko"):
        languages.set(f"{prefix}eastAsia", tag)
    if guide.is_rtl:
        languages.set(f"{prefix}bidi", tag)
    return styles


def _lighter(color: str) -> str:
    """Return `RRGGBB` mixed with white."""
    channels = (int(color[at : at + 2], 16) for at in (0, 2, 4))
    return "".join(f"{round(channel + _LIGHTER * (255 - channel)):02X}" for channel in channels)


def _settings() -> Element:
    settings = root("w:settings")
    add(settings, "w:zoom", percent=100)
    add(settings, "w:defaultTabStop", val=720)
    # Without it Word opens the file as one of Word 2007.
    uri = "http://schemas.microsoft.com/office/word"
    add(add(settings, "w:compat"), "w:compatSetting", name="compatibilityMode", uri=uri, val=15)
    return settings


def _add_opening(body: Element, guide: Guide, place: Place) -> None:
    """Add the title, the line below it, and a rule."""
    direction = is_rtl(guide.title)
    rtl = place.is_rtl if direction is None else direction
    title = add_paragraph(body, "Title", place, is_rtl=rtl)
    add_text(title, guide.title, is_rtl=rtl, look=RunLook())
    summary = summary_of(guide)
    if summary:
        add_text(add_paragraph(body, "Subtitle", place), summary, is_rtl=place.is_rtl, look=RunLook())
    add_paragraph(body, "Rule", place.kept())


def _fill_footer(footer: Element, guide: Guide, look: Look, place: Place) -> None:
    """Add the title and, at the end of the line, the number of the page and of all pages; below, the look's footer."""
    paragraph = add_paragraph(footer, "Footer", place)
    add_text(paragraph, footer_text(guide.title), is_rtl=place.is_rtl, look=RunLook())
    add(add(paragraph, "w:r"), "w:tab")
    label = page_label(guide.language)
    if label:
        add_text(paragraph, f"{label} ", is_rtl=place.is_rtl, look=RunLook())
    _add_field(paragraph, "PAGE")
    add_text(paragraph, " / ", is_rtl=place.is_rtl, look=RunLook())
    _add_field(paragraph, "NUMPAGES")
    if look.footer:
        direction = is_rtl(look.footer)
        rtl = place.is_rtl if direction is None else direction
        notice = add_paragraph(footer, "Footer", place, is_rtl=rtl)
        add_text(notice, look.footer, is_rtl=rtl, look=RunLook())


def _add_field(paragraph: Element, code: str) -> None:
    """Add a number that Word works out anew when it lays out the page; until then it is 1."""
    field = add(paragraph, "w:fldSimple", instr=f" {code} ")
    add(add(field, "w:r"), "w:t", "1")


def _add_section(parent: Element, footer_relation: str | None, paper_size: str, *, is_rtl: bool) -> None:
    """Add the properties of a section; without a footer it has that of the one before."""
    section = add(parent, "w:sectPr")
    if footer_relation:
        add(section, "w:footerReference", type="default", r_id=footer_relation)
    width, height, narrow, wide = _PAPERS[paper_size]
    add(section, "w:pgSz", w=width, h=height)
    left, right = (narrow, wide) if is_rtl else (wide, narrow)
    sides = {"left": left, "right": right, "top": 1_080, "bottom": 1_200}
    add(section, "w:pgMar", **sides, header=520, footer=560, gutter=0)
    if is_rtl:
        add(section, "w:bidi")


def _files(package: Package, *, is_sealed: bool) -> list[tuple[str, bytes]]:
    """Return the files by name, sorted, which puts the content types first."""
    parts = sorted(package.iter_parts(), key=lambda part: part.partname)
    relations = package.rels
    if is_sealed:  # as an external one: the part is not there yet
        relations.get_or_add_ext_rel(_SEAL, ENVELOPE_NAME)
    entries = {
        "[Content_Types].xml": _content_types(parts, is_sealed=is_sealed),
        "_rels/.rels": relations.xml.replace(b' TargetMode="External"', b""),
    }
    for part in parts:
        entries[part.partname.membername] = part.blob
        if part.rels:
            entries[part.partname.rels_uri.membername] = part.rels.xml
    return sorted(entries.items())


def _content_types(parts: Sequence[Part], *, is_sealed: bool) -> bytes:
    """Return the types of the parts: of pictures and relations by extension, of others by name."""
    space = NAMESPACE.OPC_CONTENT_TYPES
    types = etree.Element(f"{{{space}}}Types", nsmap={None: space})
    pictures = {part.partname.ext: part.content_type for part in parts if part.partname.ext in _TYPES}
    by_extension = {**pictures, "rels": CONTENT_TYPE.OPC_RELATIONSHIPS, "xml": CONTENT_TYPE.XML}
    if is_sealed:
        by_extension["json"] = "application/json"
    for extension, kind in sorted(by_extension.items()):
        etree.SubElement(types, f"{{{space}}}Default", Extension=extension, ContentType=kind)
    for part in parts:
        if part.partname.ext not in _TYPES:
            names = {"PartName": part.partname, "ContentType": part.content_type}
            etree.SubElement(types, f"{{{space}}}Override", names)
    made: bytes = etree.tostring(types, encoding="UTF-8", standalone=True)
    return made
