"""The PDF as a reader, a screen reader and a suspicious person see it."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pypdfium2
import pytest
import typst
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from exports.renderers import RENDERERS, RenderFailed
from exports.renderers.pdf import PdfRenderer
from tests.exports.documents import (
    GUIDE,
    block_id,
    drawing,
    encoded,
    make_document,
    plain_png,
    sample,
    with_markers,
)

PNG = plain_png(7)


def rendered(markdown: str = GUIDE, *pictures: tuple[str | None, bytes], **changed: Any) -> bytes:
    document, read = make_document(with_markers(markdown), pictures, **changed)
    return PdfRenderer().render(document, read).content


def read(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def words(content: bytes) -> str:
    """All the text, as a reader copies it, with single spaces."""
    pages = pypdfium2.PdfDocument(content)
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in pages).split())


def structure(content: bytes) -> list[tuple[str, DictionaryObject]]:
    """Tags of the document in reading order."""
    found: list[tuple[str, DictionaryObject]] = []

    def walk(node: Any) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict) and "/S" in node:
            found.append((str(node["/S"]), node))
            walk(node.get("/K", []))

    walk(read(content).trailer["/Root"]["/StructTreeRoot"]["/K"])
    return found


def outline(content: bytes) -> list[Any]:
    def titles(entries: list[Any]) -> list[Any]:
        return [titles(entry) if isinstance(entry, list) else entry.title for entry in entries]

    return titles(read(content).outline)


def images_on_pages(content: bytes) -> list[int]:
    pages = pypdfium2.PdfDocument(content)
    return [sum(1 for thing in page.get_objects(max_depth=9) if thing.type == 3) for page in pages]


def test_title_steps_text_and_footer_stand_in_order() -> None:
    text = words(rendered())
    expected = [
        *("Send an invoice", "3 steps · 1:02", "What you need: an account with the role Editor.", "Write it"),
        *("1", "Open the Invoices page", "0:04–0:12", "Click Invoices in the menu.", "2", "Click New"),
        *("newest first,", "Send it", "3", "Press Send", "0:18–1:02", "Field", "Amount", "12,00"),
        *("The customer gets an e-mail.", "Send an invoice", "Page 1 / 1"),
    ]
    at = 0
    for part in expected:
        at = text.index(part, at) + len(part)
    assert "Step 1" not in text and "block:" not in text


def test_pages_are_numbered_and_pictures_stand_in_place() -> None:
    text = with_markers(GUIDE)
    places = [block_id(text, title) for title in ("Open the Invoices page", "Click New", "Press Send")]
    content = rendered(
        text, *[(place, encoded(drawing(n, size=(1280, 720)))) for n, place in enumerate(places)]
    )
    pages = [page.extract_text() for page in read(content).pages]
    assert [f"Page {n} / {len(pages)}" in page for n, page in enumerate(pages, start=1)] == [True] * len(
        pages
    )
    steps_on = [len(re.findall(r"0:04–|0:12–|0:18–", page)) for page in pages]
    assert images_on_pages(content) == steps_on and sum(steps_on) == 3 and len(pages) == 2


def test_the_outline_has_sections_and_numbered_steps() -> None:
    assert outline(rendered()) == [
        "Write it",
        ["1. Open the Invoices page", "2. Click New"],
        "Send it",
        ["3. Press Send"],
    ]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("##### a\n\n# b\n\n### c\n\n###### d\n\n## e", ["a", "b", ["c", ["d"], "e"]]),
        ("### Step 1: a\n\n###### b\n\n# c", ["1. a", ["b"], "c"]),
        ("# Title\n\n###### a\n\n#\n\n## \u200b\n\n> # quoted\n\n- # listed", ["a"]),
        ("text only", []),
    ],
)
def test_skipped_heading_levels_are_closed_up(markdown: str, expected: list[Any]) -> None:
    assert outline(rendered(markdown)) == expected


def test_the_document_says_what_it_is() -> None:
    pdf = read(rendered(language="de-AT"))
    root = pdf.trailer["/Root"]
    assert pdf.metadata is not None and pdf.metadata.title == "Send an invoice"
    assert root["/Lang"] == "de-AT"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "Seite 1 / 1" in pdf.pages[0].extract_text()


def test_the_document_is_tagged_for_screen_readers() -> None:
    text = with_markers(GUIDE)
    content = rendered(text, (block_id(text, "Press Send"), PNG), alt="The *Send* button")
    root = read(content).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert is_ua(content)
    tags = structure(content)
    kinds = [kind for kind, _ in tags]
    assert [kind for kind in kinds if kind[1] == "H" and kind[2:].isdigit()] == [
        "/H1",
        "/H2",
        "/H2",
        "/H1",
        "/H2",
    ]
    assert {"/Title", "/P", "/L", "/LI", "/Table", "/TH", "/TD"} <= set(kinds)
    assert [node["/Alt"] for kind, node in tags if kind == "/Figure"] == ["The *Send* button"]


def test_there_is_no_clock_and_no_path_in_it() -> None:
    content = rendered(GUIDE, (None, PNG))
    pdf = read(content)
    assert pdf.metadata is not None
    assert set(pdf.metadata) == {"/Title", "/Creator"}
    assert b"Date" not in pdf.trailer["/Root"]["/Metadata"].get_data()
    assert b"stepwright-pdf" not in content


LITERAL = [
    '#read("/etc/passwd")',
    '#import "@preview/cetz:0.1.0": *',
    "$ x^2 $ #{ panic() } @label <label> = heading",
    '#image("images/01-picture.png")',
    "\\u{41} ~ -- --- ... // no /* comment */",
    "<script>alert(1)</script> <kbd>Ctrl</kbd>",
]


@pytest.mark.parametrize("hostile", LITERAL)
def test_what_is_source_elsewhere_is_text_here(hostile: str) -> None:
    escaped = hostile.replace("\\", "\\\\").replace("*", "\\*")
    markdown = f"# {escaped}\n\n{escaped}\n\n`{hostile}`\n\n- {escaped}\n\n```\n{hostile}\n```\n"
    shown = words(rendered(markdown, title=hostile)).replace(" ", "")
    assert shown.count(hostile.replace(" ", "")) >= 4


def test_html_blocks_are_shown_literally_and_comments_not_at_all() -> None:
    text = words(rendered('<div onclick="x">\n\nmiddle\n\n</div>\n\n<!-- remark -->\n\nend <!-- x --> here'))
    assert '<div onclick="x"> middle </div> end here' in text


@pytest.mark.parametrize(
    ("markdown", "text", "target"),
    [
        ("[here](https://example.com/a?b=c)", "here", "https://example.com/a?b=c"),
        ("<mailto:desk@example.com>", "desk@example.com", "mailto:desk@example.com"),
        ("![a picture](http://example.com/x.png)", "a picture", "http://example.com/x.png"),
        ("![](http://example.com/x.png)", "http://example.com/x.png", "http://example.com/x.png"),
        ("[![in](http://example.com/i)](http://example.com/o)", "in", "http://example.com/o"),
        ("[no](javascript:alert(1))", "no", None),
        ("[no](file:///etc/passwd)", "no", None),
        ("[no](ftp://example.com/)", "no", None),
        ("[no](/relative)", "no", None),
        ("![local](images/x.png)", "local", None),
        ("![none](data:image/png;base64,AAAA)", "none", None),
        (f"[long](https://example.com/{'a' * 9000})", "long", None),
    ],
)
def test_only_web_and_mail_links_can_be_followed(markdown: str, text: str, target: str | None) -> None:
    content = rendered(markdown)
    annotations = read(content).pages[0].get("/Annots", [])
    assert [note.get_object()["/A"]["/URI"] for note in annotations] == ([target] if target else [])
    assert text in words(content)
    assert images_on_pages(content) == [0]


def test_a_picture_of_the_text_is_shown_only_when_it_is_one_of_ours() -> None:
    content = rendered("# T\n\n![x](images/99-picture.png)\n\n![y](../../secret.png)", (None, PNG))
    assert images_on_pages(content) == [1]


SCRIPTS = {
    "Cyrillic": "Привет",
    "Greek": "Ελληνικά",
    "Chinese": "中文说明",
    "Japanese": "日本語",
    "Korean": "한국어",
    "Hebrew": "שלום",
    "Arabic": "مرحبا",
    "Thai": "ไทย",
    "Devanagari": "हिन्दी",
    "emoji": "👍",
    "arrows": "→ ⇒ ✓ ∑",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_have_glyphs_in_headings_text_and_code(script: str) -> None:
    text = SCRIPTS[script]
    content = rendered(
        f"# {text}\n\n**{text}** *{text}* `{text}`\n\n### Step 1: {text}\n\n```\n{text}\n```\n"
    )
    assert "\ufffd" not in words(content)
    assert outline(content) == [f"1. {text}"]


def test_what_no_font_can_draw_is_replaced_and_seen() -> None:
    assert "a\ufffdb \ufffd c" in words(rendered("# T\n\na\U000118a0b \ue000 \x01c\ufeff"))


# Each character has a glyph, but no font has those of a letter and its mark together.
APART = ["9\U00016ec4\u05b1", "\u202e\u27f7\u1dfd\xc3"]


def is_ua(content: bytes) -> bool:
    return b"<pdfuaid:part>1</pdfuaid:part>" in read(content).trailer["/Root"]["/Metadata"].get_data()


@pytest.mark.parametrize("text", APART)
def test_a_mark_that_no_font_draws_with_its_letter_stands_beside_it(text: str) -> None:
    assert is_ua(rendered(f"# T\n\n{text}"))


@pytest.mark.parametrize("text", APART)
def test_what_cannot_be_drawn_at_all_costs_the_standard_and_not_the_export(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exports.renderers.text._cuts_before_foreign_marks", lambda _: iter(()))
    content = rendered(f"# T\n\n{text}")
    assert not is_ua(content) and read(content).trailer["/Root"]["/MarkInfo"]["/Marked"]


def left_edges(content: bytes) -> dict[str, float]:
    """The left edge of each line of text, in points."""
    page = pypdfium2.PdfDocument(content)[0].get_textpage()
    rects = (page.get_rect(n) for n in range(page.count_rects()))
    return {page.get_text_bounded(*rect).strip(): rect[0] for rect in rects}


def test_right_to_left_paragraphs_begin_at_the_right() -> None:
    content = rendered("# T\n\nLeft\n\nשלום\n\n- פריט\n\n1 2 שלום")
    edges = left_edges(content)
    assert edges["Left"] < 80
    assert min(edge for text, edge in edges.items() if re.search("[\u05d0-\u05ea]", text)) > 400


def test_long_words_and_code_stay_on_the_page_and_can_be_copied() -> None:
    word = "abcdefghij" * 20
    content = rendered(f"# T\n\n{word}\n\n`{word}`\n\n|a|b|\n|-|-|\n|{word}|{word}|\n\n```\n{word}\n```\n")
    page = pypdfium2.PdfDocument(content)[0]
    text = page.get_textpage()
    assert max(text.get_rect(n)[2] for n in range(text.count_rects())) < 595 - 45
    copied = text.get_text_range().replace("\r\n", "")
    assert copied.count("\u200b") == 0 and copied.count(word) >= 3


def test_code_keeps_its_lines_and_spaces() -> None:
    lines = ["if x:", "    go()", "", "\tend  # *not bold*"] * 60
    text = read(rendered("# T\n\n```python\n" + "\n".join(lines) + "\n```\n"))
    found = "\n".join(page.extract_text() for page in text.pages)
    assert found.count("    go()") == found.count("if x:") == 60
    assert found.count("    end  # *not bold*") == 60


def test_a_step_moves_to_the_next_page_together_with_its_picture() -> None:
    filler = "".join(f"Line {n}.\n\n" for n in range(21))
    text = with_markers(f"# T\n\n{filler}### Step 1: Move (0:01)\n\nShort text.\n\n- a list\n")
    content = rendered(text, (block_id(text, "Move"), encoded(drawing(1, size=(1280, 720)))))
    first, second = read(content).pages
    assert "Line 20." in first.extract_text() and "Move" not in first.extract_text()
    assert "Move" in second.extract_text() and "a list" in second.extract_text()
    assert images_on_pages(content) == [0, 1]


@pytest.mark.parametrize("size", [(3000, 20), (20, 3000), (1, 1), (1080, 2340), (1280, 720)])
def test_pictures_of_any_shape_fit_on_the_page(size: tuple[int, int]) -> None:
    content = rendered("# T\n\n### Step 1: a", (None, encoded(drawing(1, size=size))))
    page = pypdfium2.PdfDocument(content)[0]
    (left, bottom, right, top) = next(t.get_bounds() for t in page.get_objects(max_depth=9) if t.type == 3)
    assert 70 < left < right < 545 and 50 < bottom < top < 800
    assert (right - left) / (top - bottom) == pytest.approx(size[0] / size[1], rel=0.05)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_every_type_of_picture_is_embedded(format: str) -> None:
    assert images_on_pages(rendered("# T", (None, encoded(drawing(1), format)))) == [1]


def test_a_broken_picture_fails_with_a_sentence_for_a_person() -> None:
    broken = bytearray(PNG)
    broken[24:26] = b"\x07\x09"  # no such bit depth and colour type
    document, _ = make_document("# T", [(None, PNG)])
    stored = document.to_json()
    stored["pictures"][0]["sha256"] = hashlib.sha256(broken).hexdigest()
    with pytest.raises(RenderFailed, match=r"^The picture images/01-picture.png cannot be read.$"):
        PdfRenderer().render(type(document).from_json(stored), lambda _: bytes(broken))


def test_diagnostics_of_typst_stay_in_the_chain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    template = tmp_path / "broken.typ"
    template.write_text('#panic("in the template")')
    monkeypatch.setattr("exports.renderers.pdf._TEMPLATE", template)
    with pytest.raises(RenderFailed) as caught:
        rendered("# T")
    assert str(caught.value) == "The PDF could not be typeset."
    assert isinstance(caught.value.__cause__, typst.TypstError)


@pytest.mark.soak
def test_a_text_that_would_fill_thousands_of_pages_is_refused() -> None:
    with pytest.raises(RenderFailed, match=r"more than 30,000"):
        rendered("```\n" + "a\n" * 31_000)


HOSTILE = {
    "quotations": ">" * 300 + " deep",
    "lists": "".join("  " * n + "- a\n" for n in range(60)),
    "both": "> - " * 60 + "x",
    "emphasis": "*" * 3000 + "a" + "*" * 3000,
    "brackets": "[" * 3000 + "a" + "]" * 3000,
    "links": "[a](http://x) " * 2000,
    "one line of code": "```\n" + "x" * 100_000,
    "columns": "|" + "a|" * 500 + "\n|" + "-|" * 500 + "\n|" + "b|" * 500,
    "entities": "&#0;&#xD800;&#x10FFFF;&lt;&nbsp;&zwj;",
    "numbers": "999999999. a\n\n0. b\n",
    "nothing": "",
    "comment": "<!-- only -->",
}


@pytest.mark.soak
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_rendered(name: str) -> None:
    assert sum(images_on_pages(rendered(f"# T\n\n{HOSTILE[name]}", (None, PNG)))) == 1


GROWING = {
    "steps": lambda size: "".join(f"### Step {n}: do (0:01–0:02)\n\ntext {n}\n\n" for n in range(size // 8)),
    "lines of code": lambda size: "```\n" + "".join(f"code = {n}\n" for n in range(size)),
    "spans": lambda size: "".join(f"`a{n}` **b** " for n in range(size // 3)),
    "line breaks": lambda size: "".join(f"a {n}  \n" for n in range(size)),
    "one word": lambda size: "x" * (30 * size),
}


@pytest.mark.soak
@pytest.mark.parametrize("kind", GROWING)
def test_the_cost_grows_with_the_text_and_not_with_its_square(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = 0.0
    compile_with_typst = typst.compile

    def timed(*given: Any, **options: Any) -> Any:
        nonlocal spent
        begin = time.process_time()
        try:
            return compile_with_typst(*given, **options)
        finally:
            spent += time.process_time() - begin

    monkeypatch.setattr(typst, "compile", timed)
    rendered("warm up")
    costs = []
    for size in (4_000, 16_000):
        spent = 0.0
        rendered(f"# T\n\n{GROWING[kind](size)}")
        costs.append(spent)
    assert costs[1] < 7 * costs[0], costs


PARTS = st.one_of(
    st.sampled_from(
        [
            "# ",
            "### Step 3: ",
            "- ",
            "1. ",
            "> ",
            "```\n",
            "|a|b|\n|-|-|\n|",
            "`",
            "**",
            "*",
            "~~",
            "[x](",
            ")",
        ]
        + [
            "![",
            "](http://a.b)",
            "<b>",
            "<!--",
            "-->",
            "\n",
            "\n\n",
            "    ",
            "\\",
            "#read(",
            "$",
            "(0:01–0:02)",
        ]
    ),
    st.text(max_size=12),
    st.text("ab אبक\u0301\u093e\u20dd\u200d\ufe0f👩🇩中\u202e\u00ad\t", max_size=8),
)


@pytest.mark.soak
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PARTS, max_size=14).map("".join), st.text(max_size=6), st.text(max_size=6))
def test_no_text_makes_the_pdf_fail(markdown: str, title: str, language: str) -> None:
    content = rendered(markdown, (None, PNG), title=title, language=language, alt=title)
    assert images_on_pages(content)[-1] == 1


PRINT_HASHES = """
import hashlib
from exports.renderers import RENDERERS
from tests.exports.documents import sample
for name, renderer in RENDERERS.items():
    print(name, hashlib.sha256(renderer.render(*sample()).content).hexdigest())
"""


def test_bytes_are_the_same_in_other_processes_places_and_locales(tmp_path: Path) -> None:
    repository = Path(__file__).resolve().parents[2]
    surroundings: list[dict[str, str]] = [
        {"TZ": "Pacific/Kiritimati", "LANG": "tr_TR.UTF-8", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
        {"TZ": "America/Caracas", "LANG": "C", "PYTHONHASHSEED": "4242", "SOURCE_DATE_EPOCH": "1"},
    ]
    expected = "".join(
        f"{name} {hashlib.sha256(renderer.render(*sample()).content).hexdigest()}\n"
        for name, renderer in RENDERERS.items()
    )
    for number, changed in enumerate(surroundings):
        folder = tmp_path / str(number)
        folder.mkdir()
        environment = {**os.environ, **changed, "TMPDIR": str(folder), "PYTHONPATH": str(repository)}
        command = [sys.executable, "-c", PRINT_HASHES]
        ended = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=120
        )
        assert ended.stdout == expected
        assert list(folder.iterdir()) == []


def test_threads_do_not_disturb_each_other() -> None:
    texts = [f"# Guide {n}\n\n" + f"Text {n}. " * 40 * n for n in range(1, 5)]
    alone = [rendered(text, (None, plain_png(n))) for n, text in enumerate(texts)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda n: rendered(texts[n % 4], (None, plain_png(n % 4))), range(16)))
    assert together == alone * 4


def test_a_worker_does_not_keep_the_pictures_of_its_last_exports() -> None:
    """Five pictures of 2.7 MB, decoded, an export: ten of those would be 135 MB."""
    worker = psutil.Process()
    memory = []
    for number in range(12):
        pictures = [encoded(drawing(5 * number + n, size=(1280, 720))) for n in range(5)]
        rendered("# T", *[(None, content) for content in pictures])
        memory.append(worker.memory_info().rss)
    assert memory[-1] - memory[1] < 60e6


def test_the_files_are_the_embedded_pictures_and_the_artifact() -> None:
    document, read_picture = sample()
    result = PdfRenderer().render(document, read_picture)
    assert (result.mime_type, result.extension) == ("application/pdf", ".pdf")
    names = [file.name for file in result.files]
    assert names[0] == "images/01-step-1.png" and names[-1] == "instruction.pdf" and len(names) == 5
    assert result.files[-1].sha256 == hashlib.sha256(result.content).hexdigest()
