"""The page: its words, structure, links, pictures and policy, and that no text of a document becomes markup."""

from __future__ import annotations

import base64
import hashlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from exports.renderers.html import HtmlRenderer
from exports.renderers.labels import _LABELS, contents_label
from exports.renderers.markup import element, style_element
from tests.exports.documents import GUIDE, PNG, block_id, drawing, encoded, sample, with_markers
from tests.exports.html_reading import page_of, read_page, result


def test_title_contents_steps_and_text_stand_in_order() -> None:
    (body,) = page_of().all("body")
    expected = [
        *(
            "Send an invoice",
            "3 steps · 1:02",
            "Contents",
            "Write it",
            "1 Open the Invoices page",
            "2 Click New",
        ),
        *(
            "What you need: an account with the role Editor.",
            "Write it",
            "1 Open the Invoices page 0:04–0:12",
        ),
        *("Click Invoices in the menu.", "2 Click New 0:12–0:18", "newest first,", "Send it"),
        *("3 Press Send 0:18–1:02", "Field", "Amount", "12,00", "The customer gets an e-mail."),
    ]
    at = 0
    for part in expected:
        at = body.text.index(part, at) + len(part)
    assert "Step 1" not in body.text and "block:" not in body.text


def test_every_step_and_section_has_an_id_and_a_link_to_itself() -> None:
    page = page_of()
    assert page.ids == ["contents", "section-1", "step-1", "step-2", "section-2", "step-3"]
    for step in (1, 2, 3):
        (shown,) = page.all("a", href=f"#step-{step}", class_="number")
        assert shown.text == str(step)
    listed = page.all("nav")[0].text
    assert listed == "ContentsContentsWrite it1 Open the Invoices page2 Click NewSend it3 Press Send"
    links = [found.attributes["href"] for found in page.all("a") if found.attributes["href"].startswith("#")]
    assert {link.removeprefix("#") for link in links} == set(page.ids)


def test_ids_are_unique_where_numbers_come_twice() -> None:
    page = page_of("## Step 2: a\n\n## Step 1: b\n\n### Step 2: c\n\n# d\n\n# d\n\n## Step 2: e\n")
    assert page.ids == ["contents", "step-2", "step-1", "step-2-2", "section-1", "section-2", "step-2-3"]


def test_a_guide_without_headings_has_no_contents() -> None:
    page = page_of("text only")
    assert (page.all("nav"), page.all("a"), page.main) == ([], [], "text only")


@pytest.mark.parametrize(
    ("language", "lang", "direction"),
    [
        ("en", "en", "ltr"),
        ("de-AT", "de-AT", "ltr"),
        ("zh_tw", "zh-TW", "ltr"),
        ("ar", "ar", "rtl"),
        ('"x', "en", "ltr"),
    ],
)
def test_language_direction_and_title_are_set(language: str, lang: str, direction: str) -> None:
    page = page_of(language=language)
    (root,) = page.all("html")
    assert root.attributes == {"lang": lang, "dir": direction}
    assert page.all("title")[0].text == page.all("h1")[0].text == "Send an invoice"
    assert page.all("meta", name="viewport")[0].attributes["content"] == "width=device-width, initial-scale=1"
    assert page.elements[2].attributes == {"charset": "utf-8"}


def test_every_language_with_words_has_one_for_the_contents() -> None:
    assert all(contents_label(language) for language in _LABELS)
    page = page_of(language="fi")
    assert page.all("summary")[0].text == "☰" and "aria-label" not in page.all("nav")[0].attributes
    assert '"Seite " counter(page)' in page_of(language="de").stylesheet
    assert 'content: "" counter(page)' in page_of(language="fi").stylesheet


def test_lists_quotes_and_tables_have_the_direction_of_their_text() -> None:
    page = page_of("- אב\n- גד\n\n> שלום\n\n| א | b |\n|:-:|--:|\n| 1 | 2 |\n\n1. one\n\nשורה", language="en")
    assert [page.all(tag)[0].attributes.get("dir") for tag in ("ul", "blockquote", "table", "ol")] == [
        *("rtl", "rtl", "rtl", "ltr")
    ]
    assert page.all("p", dir="auto")[-1].text == "שורה"
    assert [cell.attributes["class"] for cell in page.all("td")] == ["center", "right"]


def test_lists_keep_their_numbers_and_nesting() -> None:
    page = page_of("7. a\n8. b\n   - c\n\n   1. d\n\ntext\n\n1. e\n2. f\n\ntext\n\n1999. g\n")
    starts = [found.attributes.get("start") for found in page.all("ol")]
    assert starts == ["7", None, None, "1999"]
    assert [found.attributes.get("class") for found in page.all("ol")] == ["loose", None, None, "inside"]
    assert [item.text for item in page.all("li")][:3] == ["a", "bcd", "c"]


def test_code_keeps_its_lines_and_its_first_empty_one() -> None:
    content = result("```python\n\n  a < b && c\n\tx\n```\n").content
    assert b'<pre dir="ltr" tabindex="0"><code>\n  a &lt; b &amp;&amp; c\n\tx</code></pre>' in content


def test_the_policy_allows_our_stylesheet_and_nothing_else() -> None:
    page = page_of(GUIDE, (None, PNG))
    digest = base64.b64encode(hashlib.sha256(page.stylesheet.encode()).digest()).decode()
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]
    assert policy.attributes["content"] == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert page.elements.index(policy) < page.elements.index(page.all("style")[0])
    assert "url(" not in page.stylesheet and "@import" not in page.stylesheet
    assert page.all("meta", name="referrer")[0].attributes["content"] == "no-referrer"


def test_the_pictures_lie_in_the_page_as_the_manifest_says() -> None:
    made = HtmlRenderer().render(*sample())
    page = read_page(made.content)
    assert (made.mime_type, made.extension) == ("text/html; charset=utf-8", ".html")
    assert [hashlib.sha256(picture).hexdigest() for picture in page.pictures] == [
        entry["sha256"] for entry in made.manifest["pictures"]
    ]
    assert [file.name for file in made.files][-1] == "instruction.html" and len(made.files) == 5
    first = page.all("img")[0].attributes
    assert (first["alt"], first["width"], first["height"]) == ("Open the Invoices page", "32", "18")
    assert first["src"].startswith("data:image/png;base64,")


def test_a_picture_stands_in_its_step_with_its_size_and_text() -> None:
    text = with_markers(GUIDE)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be rotated by a quarter
    turned = encoded(drawing(1), "JPEG", exif=exif)
    content = result(text, (block_id(text, "Click New"), turned), alt='"><b>& \x00é').content
    (image,) = read_page(content).all("img")
    assert (image.attributes["width"], image.attributes["height"]) == ("180", "320")
    assert image.attributes["alt"] == '"><b>& é'
    step = content[content.index(b'id="step-2"') : content.index(b'id="section-2"')]
    assert b'<figure class="portrait"><img src="data:image/jpeg;base64,' in step


HOSTILE = [
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title></head><body onload=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "--><svg onload=alert(1)><!--",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "<a href='javascript:alert(1)'>x</a>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "]]><?xml version='1.0'?><!DOCTYPE x>",
    "<plaintext>",
    "<base href=//example.com>",
    "\u2028</code></pre><iframe srcdoc=x>",
    '<textarea><noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "\ufffe\x0b\x1b\x7f\x85<b\x0cid=contents>",
]
PLACES = {
    "heading": "# T\n\n## {}\n",
    "step": "### Step 1: {} (0:01–0:02)\n",
    "paragraph": "# T\n\nx {}\n",
    "html block": "# T\n\n{}\n",
    "list": "- x {}\n  1. y {}\n",
    "quote": "> x {}\n",
    "cell": "| a {} |\n| --- |\n| b {} |\n",
    "code": "`` {} ``\n\n```{}\n{}\n```\n",
    "link text": "[{}](https://example.com)\n",
    "link": "[x](<https://example.com/{}>) <https://example.com/{}>\n",
    "picture": '![{}](https://example.com/x.png "{}")\n',
    "destination": "[x]({}) ![y]({})\n",
}


@pytest.mark.parametrize("place", PLACES)
def test_no_text_becomes_markup(place: str) -> None:
    for hostile in HOSTILE:
        markdown = PLACES[place].replace("{}", hostile)
        page = page_of(markdown, (None, PNG), title=f"{hostile} title", alt=f"{hostile} alt")
        assert (page.foreign, page.problems) == ([], []), (hostile, page)
        assert len(page.pictures) == 1 and page.stylesheet == page_of("x").stylesheet
        for link in page.all("a"):
            assert link.attributes["href"].startswith(("#", "https://example.com"))


@pytest.mark.parametrize("hostile", HOSTILE[:6])
def test_what_looks_like_markup_is_shown_as_text(hostile: str) -> None:
    page = page_of(f"`{hostile}`\n\n```\n{hostile}\n```\n", title=hostile)
    assert page.main.count(hostile) == 2
    assert page.all("title")[0].text == page.all("h1")[0].text == hostile


@pytest.mark.parametrize(
    ("markdown", "text", "target"),
    [
        ("[here](https://example.com/a?b=c&d)", "here", "https://example.com/a?b=c&d"),
        ("<mailto:desk@example.com>", "mailto:desk@example.com", "mailto:desk@example.com"),
        ("![a picture](http://example.com/x.png)", "a picture", "http://example.com/x.png"),
        ("[no](javascript:alert(1))", "no", None),
        ("[no](java&#10;script:alert(1))", "no", None),
        ("[no](JaVaScRiPt:alert(1))", "no", None),
        ("[no](vbscript:x)", "no", None),
        ("[no](data:text/html,x)", "no", None),
        ("![no](data:image/svg+xml,x)", "no", None),
        ("[no](file:///etc/passwd)", "no", None),
        ("[no](//example.com)", "no", None),
        ("[no](#contents)", "no", None),
    ],
)
def test_only_web_and_mail_links_can_be_followed(markdown: str, text: str, target: str | None) -> None:
    page = page_of(markdown)
    assert [link.attributes["href"] for link in page.all("a")] == ([target] if target else [])
    assert all(link.attributes["rel"] == "noopener noreferrer nofollow" for link in page.all("a"))
    assert text in page.main and page.pictures == []


def test_a_link_in_a_heading_is_none_in_the_contents() -> None:
    page = page_of("## See [the **page**](https://example.com)\n")
    assert page.all("nav")[0].text == "ContentsContentsSee the page"
    assert len(page.all("a", href="https://example.com")) == 1


def test_the_builder_escapes_text_and_attributes() -> None:
    made = element(
        "a", "<b> & '\"\x00\ud800\ufdd0\U0001ffff\t\n", element("br"), aria_label="\"<'>&", class_=None
    )
    assert bytes(made) == (
        b'<a aria-label="&quot;&lt;&#x27;&gt;&amp;">&lt;b&gt; &amp; &#x27;&quot;\t\n<br></a>'
    )
    with pytest.raises(ValueError, match="less-than"):
        style_element("a{}</style>")


PARTS = st.one_of(
    st.sampled_from(
        ["# ", "### Step 3: ", "- ", "1. ", "> ", "```\n", "|a|b|\n|-|-|\n|", "\n", "\n\n", "    "]
    ),
    st.sampled_from(
        ["`", "**", "*", "~~", "[x](", ")", "![", "](http://a.b)", "<b>", "<!--", "-->", "\\", "&lt;"]
    ),
    st.sampled_from(["<script", "</style>", "</", "'", '"', " onload=", ">", "(0:01–0:02)"]),
    st.text(max_size=12),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(PARTS, max_size=14).map("".join), st.text(max_size=6), st.text(max_size=6))
def test_any_text_gives_a_whole_page_of_known_elements(markdown: str, title: str, language: str) -> None:
    page = page_of(markdown, (None, PNG), title=title, language=language, alt=title)
    assert (page.foreign, page.problems) == ([], [])
    assert page.pictures == [PNG] and len(set(page.ids)) == len(page.ids)


@pytest.mark.slow
@pytest.mark.parametrize(
    "markdown",
    [
        "".join(f"### Step {n}: do (0:01–0:02)\n\ntext {n}\n\n" for n in range(2_000)),
        "".join(f"| {n} | b |\n" if n > 1 else "| a | b |\n| - | - |\n" for n in range(2_000)),
        "x" * 1_000_000,
        "> - " * 60 + "x",
        "*" * 3000 + "a" + "*" * 3000,
    ],
    ids=["steps", "rows", "a word", "nesting", "emphasis"],
)
def test_large_texts_are_rendered_in_seconds(markdown: str) -> None:
    begin = time.process_time()
    page = page_of(f"# T\n\n{markdown}", (None, PNG))
    assert len(page.pictures) == 1 and not page.problems
    assert time.process_time() - begin < 20
