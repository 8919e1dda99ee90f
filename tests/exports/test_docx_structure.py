"""The DOCX as python-docx reads it: styles, numbers, links, tables, pictures, directions and properties."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import Any

import pytest
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.text.paragraph import Paragraph
from lxml import etree
from PIL import Image

from exports.look import Look
from exports.renderers.docx.renderer import DocxRenderer
from tests.exports.documents import GUIDE, PNG, block_id, drawing, encoded, sample, with_markers
from tests.exports.docx_reading import (
    entries,
    external,
    numbers,
    opened,
    relations,
    rendered,
    style_of,
    styled,
    words,
)

pytestmark = pytest.mark.slow


def is_bidi(paragraph: Paragraph) -> bool:
    return paragraph._p.find(f".//{qn('w:bidi')}") is not None


def test_paragraphs_have_styles_of_word() -> None:
    assert [entry for entry in styled(rendered()) if not entry[0].startswith("Heading")] == [
        ("Title", "Send an invoice"),
        ("Subtitle", "3 steps · 1:02"),
        ("Normal", "What you need: an account with the role Editor."),
        ("Normal", "Click Invoices in the menu."),
        ("Normal", "The list opens:"),
        ("List Bullet", "newest first,"),
        ("List Bullet", "paid ones in grey."),
        ("Normal", "The customer gets an e-mail."),
    ]


@pytest.mark.parametrize("level", range(1, 7))
def test_headings_have_the_outline_level_of_their_style(level: int) -> None:
    style = opened(rendered()).styles[f"Heading {level}"]
    assert style.element.find(f".//{qn('w:outlineLvl')}").get(qn("w:val")) == str(level - 1)


def test_steps_are_counted_and_keep_the_numbers_of_the_text() -> None:
    content = rendered("".join(f"### Step {n}: a{n}\n\n" for n in (1, 2, 5, 6, 1)))
    assert numbers(content) == [("a1", 0, 1), ("a2", 0, 2), ("a5", 0, 5), ("a6", 0, 6), ("a1", 0, 1)]
    # Steps that follow one another are one list, so that Word counts on when one is put between them.
    assert entries(content)["word/numbering.xml"].count(b"<w:startOverride") == 3


def test_each_list_begins_at_its_own_number_on_its_own_level() -> None:
    text = "7. a\n8. b\n   1. c\n   2. d\n9. e\n   1. f\n\nbetween\n\n1. g\n2. h\n\n- x\n\n  3. i\n"
    assert numbers(rendered(text)) == [
        *(("a", 0, 7), ("b", 0, 8), ("c", 1, 1), ("d", 1, 2), ("e", 0, 9), ("f", 1, 1)),
        *(("g", 0, 1), ("h", 0, 2), ("i", 1, 3)),
    ]


def test_a_number_that_word_cannot_count_stands_as_text() -> None:
    content = rendered("999999999. a\n\n- x\n\n32767. b\n")
    assert ("List Number", "999999999.\ta") in styled(content)
    assert numbers(content) == [("b", 0, 32767)]


def test_blocks_in_an_item_stand_below_its_marker() -> None:
    content = rendered("- first\n\n  second\n\n  ```\n  code\n  ```\n-\n- > quoted\n")
    found = [(style_of(each), each.text) for each in opened(content).paragraphs[2:]]
    assert found == [
        *(("List Bullet", "first"), ("List Continue", "second"), ("Code", "code")),
        *(("List Bullet", ""), ("List Bullet", ""), ("Quote", "quoted")),
    ]


def test_emphasis_code_and_breaks_are_runs() -> None:
    paragraph = opened(rendered("# T\n\n**a** *b* ~~c~~ `d` ***e***  \nf\ng")).paragraphs[-1]
    by_text = {run.text: run for run in paragraph.runs}
    assert by_text["a"].bold and by_text["b"].italic and by_text["c"].font.strike
    assert by_text["d"].style.name == "Code Characters"
    assert by_text["e"].bold and by_text["e"].italic
    assert paragraph.text == "a b c d e\nf g"


def test_code_keeps_its_lines_and_spaces_and_boxes_that_touch_are_two() -> None:
    content = rendered("```\ndef f():\n    return  1\n\n\tend\n```\n\n```\nb\n```")
    first, second = opened(content).paragraphs[-2:]
    assert (style_of(first), first.text) == ("Code", "def f():\n    return  1\n\n    end")
    assert first.paragraph_format.right_indent != second.paragraph_format.right_indent


def test_tables_repeat_their_header_and_align_their_columns() -> None:
    content = rendered(
        "| a | b | c | d |\n| --- | ---: | :---: | :--- |\n| *1* | 2 | 3 | 4 |\n\n|x|\n|-|\n|y|"
    )
    first, second = opened(content).tables
    assert [[cell.text for cell in row.cells] for row in first.rows] == [list("abcd"), list("1234")]
    assert first.style is not None and first.style.name == "Guide Table" and second.cell(1, 0).text == "y"
    marks = [row._tr.find(f".//{qn('w:tblHeader')}") is not None for row in first.rows]
    assert marks == [True, False]
    sides = [cell.paragraphs[0]._p.find(f".//{qn('w:jc')}") for cell in first.rows[1].cells]
    found = [None if side is None else side.get(qn("w:val")) for side in sides]
    assert found == [None, "right", "center", "left"]


def test_a_table_too_wide_for_word_is_cut_into_several() -> None:
    rows = ["|" + "".join(f"{name}{n}|" for n in range(130)) for name in "hc"]
    content = rendered(f"{rows[0]}\n|{'-|' * 130}\n{rows[1]}\n")
    assert [len(table.columns) for table in opened(content).tables] == [63, 63, 4]
    assert opened(content).tables[2].cell(1, 3).text == "c129"


@pytest.mark.parametrize(
    ("markdown", "text", "target"),
    [
        ("[here](https://example.com/a?b=c&d=%20)", "here", "https://example.com/a?b=c&d=%20"),
        ("<mailto:desk@example.com>", "mailto:desk@example.com", "mailto:desk@example.com"),
        ("[six](http://[2001:db8::1]:80/)", "six", "http://[2001:db8::1]:80/"),
        ("[ü](https://bücher.example/ü)", "ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("[no](javascript:alert(1))", "no", None),
        ("[no](file:///etc/passwd)", "no", None),
        ("[no](/relative)", "no", None),
        ("[no](http://[x/)", "no", None),
        ("[no](http://a:b:c/)", "no", None),
        ("[no](https://)", "no", None),
        ("![local](images/x.png)", "local", None),
    ],
)
def test_only_web_and_mail_links_can_be_followed(markdown: str, text: str, target: str | None) -> None:
    content = rendered(markdown)
    assert external(content) == ([target] if target else [])
    paragraph = opened(content).paragraphs[-1]
    links = [(link.text, link.address) for link in paragraph.hyperlinks]
    assert links == ([(text, target)] if target else [])
    assert text in paragraph.text


def test_an_address_that_is_linked_twice_is_one_relation() -> None:
    assert external(rendered("[a](http://x.example) [b](http://x.example)")) == ["http://x.example"]


def test_a_link_in_the_title_of_a_step_is_as_large_as_the_title() -> None:
    body = opened(rendered("### Step 1: a [b](https://example.com) c")).element.body
    sizes = [size.get(qn("w:val")) for size in body.iterfind(f".//{qn('w:hyperlink')}//{qn('w:sz')}")]
    styles = opened(rendered()).styles.element
    (title,) = styles.xpath("w:style[@w:styleId='StepTitle']/w:rPr/w:sz/@w:val")
    assert sizes == [title]


@pytest.mark.parametrize(("accent", "line"), [(None, "AFACDA"), ("#7a1f1f", "CAA5A5")])
def test_lines_have_the_colour_of_the_look(accent: str | None, line: str) -> None:
    content = entries(rendered("> a\n\n[b](https://example.com)", look=Look(accent_color=accent)))
    xml = (content["word/document.xml"] + content["word/styles.xml"]).decode()
    assert f'w:space="14" w:color="{line}"' in xml and f'w:u w:val="single" w:color="{line}"' in xml
    assert line == "AFACDA" or "AFACDA" not in xml


def test_code_of_a_page_and_more_begins_where_it_stands() -> None:
    for text, is_kept in (("a\n" * 20, True), ("a\n" * 21, False), ("a" * 5000 + "\n", False)):
        (code,) = [
            each for each in opened(rendered(f"```\n{text}```")).paragraphs if style_of(each) == "Code"
        ]
        assert (code._p.find(f".//{qn('w:keepLines')}") is not None) is is_kept


def test_a_header_of_a_page_is_not_repeated() -> None:
    for header, is_repeated in (("a" * 600, True), ("a " * 3000, False)):
        (table,) = opened(rendered(f"| {header} |\n| - |\n| b |")).tables
        assert (table.rows[0]._tr.find(f".//{qn('w:tblHeader')}") is not None) is is_repeated


def test_a_column_has_room_for_its_header_in_bold() -> None:
    (table,) = opened(rendered("| Note |\n| - |\n| Note |")).tables
    (plain,) = opened(rendered("| N |\n| - |\n| Note |")).tables
    assert table.columns[0].width > plain.columns[0].width


def test_pictures_stand_in_place_with_their_description_and_size() -> None:
    text = with_markers(GUIDE)
    picture = (block_id(text, "Press Send"), encoded(drawing(1, size=(1280, 720))))
    document = opened(rendered(text, picture, alt='The *Send* <button> & "more"'))
    (shape,) = document.inline_shapes
    assert (shape.width, shape.height) == (Pt(468), Pt(263.25))
    assert shape._inline.docPr.get("descr") == 'The *Send* <button> & "more"'
    (at,) = [n for n, each in enumerate(document.paragraphs) if style_of(each) == "Picture"]
    before = document.paragraphs[at - 1]
    assert before.text == "The customer gets an e-mail." and before.paragraph_format.keep_with_next


def test_text_without_a_picture_is_not_kept_with_the_next() -> None:
    assert not any(each.paragraph_format.keep_with_next for each in opened(rendered()).paragraphs[3:5])


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_pictures_of_every_type_keep_their_pixels(format: str) -> None:
    options: dict[str, Any] = {"lossless": True} if format == "WEBP" else {}
    given = encoded(drawing(3), format, **options)
    extension = "jpg" if format == "JPEG" else "png"
    kept = entries(rendered("# T", (None, given)))[f"word/media/01-picture.{extension}"]
    with Image.open(BytesIO(given)) as before, Image.open(BytesIO(kept)) as after:
        assert after.format == ("JPEG" if format == "JPEG" else "PNG")
        assert after.convert("RGB").tobytes() == before.convert("RGB").tobytes()


@pytest.mark.parametrize("size", [(3000, 2), (2, 3000), (1, 1), (1080, 2340)])
def test_pictures_of_any_shape_fit_on_the_page(size: tuple[int, int]) -> None:
    (shape,) = opened(rendered("# T", (None, encoded(Image.new("RGB", size))))).inline_shapes
    assert 0 < shape.width <= Pt(468) and 0 < shape.height <= Pt(320)


def test_the_properties_are_title_language_and_version_and_no_time() -> None:
    content = rendered("text", language="de-AT", instruction_version_id="version-7", title="x" * 400)
    properties = opened(content).core_properties
    assert (properties.title, properties.language, properties.identifier) == ("x" * 255, "de-AT", "version-7")
    assert (properties.created, properties.modified, properties.author) == (None, None, "")
    assert opened(content).styles.element.find(f".//{qn('w:lang')}").get(qn("w:val")) == "de-AT"


def test_the_footer_has_the_title_and_fields_for_the_pages() -> None:
    section = opened(rendered(language="de")).sections[0]
    paragraph = section.footer.paragraphs[0]
    assert paragraph.text.startswith("Send an invoice\tSeite ")
    fields = [found.get(qn("w:instr")) for found in paragraph._p.iter(qn("w:fldSimple"))]
    assert fields == [" PAGE ", " NUMPAGES "]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)


def test_right_to_left_text_has_its_direction_in_paragraphs_and_runs() -> None:
    content = rendered("# T\n\nשלום (abc) עולם\n\nlatin עברית latin\n\nx אב\u05b8 x")
    hebrew, latin, marked = opened(content).paragraphs[-3:]
    assert [(run.text, bool(run.font.rtl)) for run in hebrew.runs] == [
        *(("שלום (", True), ("abc", False), (") עולם", True))
    ]
    assert [(run.text, bool(run.font.rtl)) for run in latin.runs] == [
        *(("latin ", False), ("עברית", True), (" latin", False))
    ]
    assert is_bidi(hebrew) and not is_bidi(latin)
    assert [run.text for run in marked.runs] == ["x ", "אב\u05b8", " x"]  # a mark goes with its letter


def test_the_language_chooses_direction_margins_and_fonts() -> None:
    arabic, japanese = opened(rendered("123", language="ar")), opened(rendered("123", language="ja"))
    assert is_bidi(arabic.paragraphs[-1]) and not is_bidi(japanese.paragraphs[-1])
    assert arabic.sections[0].right_margin > arabic.sections[0].left_margin
    assert japanese.sections[0].right_margin < japanese.sections[0].left_margin
    fonts = japanese.styles.element.find(f".//{qn('w:rFonts')}")
    assert fonts.get(qn("w:eastAsia")) == "Yu Gothic"


LITERAL = [
    "<w:p><w:r><w:t>x</w:t></w:r></w:p>",
    "]]> <![CDATA[ <!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]> &y;",
    "&amp;amp; & &lt;b&gt;",
    '{ INCLUDETEXT "/etc/passwd" } { HYPERLINK "file:///x" } {DDEAUTO c:\\cmd "/k"}',
    "<script>alert(1)</script> 👩‍💻 中文",
    "_x0041_ %1 $1 {{title}}",
]


@pytest.mark.parametrize("hostile", LITERAL)
def test_xml_and_field_codes_in_a_text_are_shown_as_text(hostile: str) -> None:
    escaped = "".join(f"\\{each}" if each in "\\<>&[]!_{}$'\"" else each for each in hostile)
    blocks = (
        f"# {escaped}",
        escaped,
        f"`{hostile}`",
        f"- {escaped}",
        f"|{escaped}|\n|-|",
        f"```\n{hostile}\n```",
    )
    content = rendered("\n\n".join(blocks), (None, PNG), title=hostile, alt=hostile)
    assert words(content).count(hostile) == 6
    assert opened(content).inline_shapes[0]._inline.docPr.get("descr") == hostile
    assert external(content) == []
    body = opened(content).element.body
    assert not list(body.iter(qn("w:fldSimple"), qn("w:instrText"), qn("w:fldChar")))


def test_characters_that_xml_cannot_hold_are_left_out() -> None:
    bad = "".join(map(chr, [0, 1, 8, 0xE, 0x1B, 0x7F, 0x9F, 0xFEFF, 0xFFFE, 0xFFFF, 0x1FFFE]))
    content = rendered(f"# T\n\na{bad}b\ud800c\n\n```\nd{bad}e\n```", (None, PNG), title="t", alt=f"f{bad} g")
    assert styled(content)[-2:] == [("Normal", "a\ufffdb\ufffdc"), ("Code", "d\ufffde")]
    assert opened(content).inline_shapes[0]._inline.docPr.get("descr") == "f g"


def test_every_part_is_well_formed_and_every_relation_inside_has_its_part() -> None:
    content = rendered(GUIDE + "\n[a](http://x.example)\n", (None, PNG))
    parts = entries(content)
    for name, part in parts.items():
        if name.endswith((".xml", ".rels")):
            etree.fromstring(part)
    inside = [each["Target"] for each in relations(content) if each.get("TargetMode") != "External"]
    for target in inside:
        assert target.removeprefix("/") in parts or f"word/{target}" in parts
    kinds = etree.fromstring(parts["[Content_Types].xml"])
    assert {each.get("PartName", "/").removeprefix("/") for each in kinds} - {""} < set(parts)


def test_the_package_holds_no_time_no_path_and_no_compression() -> None:
    content = DocxRenderer().render(*sample()).content
    with zipfile.ZipFile(BytesIO(content)) as package:
        names = package.namelist()
        assert names[0] == "[Content_Types].xml" and names == sorted(names)
        for entry in package.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0) and not entry.extra
            assert entry.compress_type == zipfile.ZIP_STORED
    joined = b"".join(part for name, part in entries(content).items() if "media" not in name)
    assert b"rsid" not in joined and b"python-docx" not in joined and b"/tmp" not in joined
