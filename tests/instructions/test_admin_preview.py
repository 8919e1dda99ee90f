"""The admin's pages of a document and its versions: the validation, and the text as harmless HTML."""

from __future__ import annotations

import logging
import re
import time
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.staticfiles import finders
from django.test import Client

from config.accounts.models import User
from instructions.complexity import MAX_BLOCKS, DocumentTooComplex
from instructions.models import Instruction, InstructionVersion
from instructions.preview import preview_html
from jobs.services.audit import by_staff
from jobs.services.content import show_content
from jobs.states import JobStatus
from tests.factories import make_job

GUIDE = """# Pay an *invoice*

## Step 1: Open the list

Press **Bills** or `Ctrl+B`, ~~twice~~. See [the help](https://help.example/bills "Help").

3. first
4. second

> Mind the date.

| Field | Value |
|:------|------:|
| Due   | 1 < 2 |

```html
<b>code</b>
```

---

![The list of bills](https://elsewhere.example/list.png)
"""

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "script in a text": "a <script src=//evil.example/x.js></script> b",
    "handler": '<img src=x onerror="alert(1)">',
    "handler in a text": 'a <b onmouseover="alert(1)">b</b>',
    "expression of the admin's scripts": '<div x-data x-init="alert(1)" @click="alert(1)">a</div>',
    "request by the admin's scripts": '<i hx-get="/admin/" hx-trigger="load">a</i>',
    "link to a script": "[a](javascript:alert(1))",
    "link to a hidden script": "[a](java&#10;script:alert(1)) [b](\x01javascript:alert(1)) [c](JaVaScRiPt:alert(1))",
    "reference to a script": "[a][b]\n\n[b]: javascript:alert(1)",
    "automatic link to a script": "<javascript:alert(1)> <vbscript:msgbox> <file:///etc/passwd>",
    "data": "[a](data:text/html,<script>alert(1)</script>) ![b](data:image/svg+xml;base64,PHN2Zz4=)",
    "picture as data": "[a](data:image/png;base64,iVBORw0KGgo=) ![b](data:image/png;base64,iVBORw0KGgo=)",
    "svg": '<svg onload="alert(1)"><a xlink:href="javascript:alert(1)">a</a></svg>',
    "style": '<p style="position:fixed;inset:0">a</p><style>* { display: none }</style>',
    "classes of the admin": '<p class="fixed inset-0" id="content">a</p>',
    "frame": '<iframe src="https://evil.example" srcdoc="<script>alert(1)</script>"></iframe>',
    "form": '<form action="/admin/logout/" method="post"><button>a</button></form>',
    "end of the page": "</div></section></form></body></html><script>alert(1)</script>",
    "comment that ends early": "<!--><script>alert(1)</script> -->\n\n<!-- --!><img src=x onerror=alert(1)> -->",
    "comment in a comment": "a <!-- <!-- --><script>alert(1)</script>--> b",
    "end of a template": "</template></textarea></title><script>alert(1)</script>",
    "title of a link": "[a](https://b.example 'x\" onclick=\"alert(1)')",
    "description of a picture": '![x" onerror="alert(1)](https://elsewhere.example/a.png "x\' onload=\'alert(1)")',
    "language of code": '``` "><script>alert(1)</script>\na\n```',
    "cell": "| a |\n|:-:|\n| <img src=x onerror=alert(1)> |",
    "links within the admin": "[a](/admin/logout/) [b](//evil.example) [c](?p=1) [d](#content) [e](\\\\evil.example)",
    "template": "{{ settings.SECRET_KEY }} {% load static %}",
    "more marks than are parsed": "<img src=x onerror=alert(1)> [a](javascript:alert(1)) " * 1_200,
}

SIZE_OF_TEXT = 'octet_length("instructions_instructionversion"."markdown")'

ALLOWED = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "ul", "ol", "li", "blockquote", "pre", "code"),
    *("table", "thead", "tbody", "tr", "th", "td", "em", "strong", "s", "a"),
}


class _Elements(HTMLParser):
    """The elements of HTML with their attributes, as a browser sees them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.other: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def require_harmless(html: str) -> None:
    elements = _Elements(html)
    assert elements.other == []
    for tag, attributes in elements.found:
        assert tag in ALLOWED
        assert set(attributes) <= {"a": {"href", "rel"}, "ol": {"start"}}.get(tag, set())
        if tag == "a":
            assert attributes["rel"] == "noopener nofollow"
            assert re.match(r"https?://|mailto:", attributes.get("href") or "https://")


def staff(*permissions: str) -> Client:
    user = User.objects.create(username="support", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def support() -> Client:
    return staff("view_instruction", "view_instructionversion", "read_content")


def make_version(markdown: str, *errors: dict[str, str]) -> InstructionVersion:
    """The newest version of a document that has others too, which support has given a reason to read."""
    instruction = make_job(JobStatus.DRAFT_READY).instruction
    for user in User.objects.filter(username="support"):
        show_content(job=instruction.job, by=by_staff(user, "It is tested."))
    Instruction.objects.filter(pk=instruction.pk).update(version=2)
    return InstructionVersion.objects.create(
        instruction=instruction,
        version=2,
        markdown=markdown,
        source="edit",
        created_by="system",
        validation_errors=list(errors),
    )


def pages(version: InstructionVersion) -> list[str]:
    return [
        f"/admin/instructions/instruction/{version.instruction_id}/change/",
        f"/admin/instructions/instructionversion/{version.pk}/change/",
    ]


def previewed(page: str) -> str:
    """What stands in the preview; nothing in it may end it."""
    return page.partition('<div class="overflow-x-auto preview prose prose-sm px-3">')[2].partition("</div>")[
        0
    ]


def test_a_guide_is_shown_as_headings_lists_tables_and_code() -> None:
    html = preview_html(GUIDE)
    require_harmless(html)
    for part in (
        "<h1>Pay an <em>invoice</em></h1>",
        "<strong>Bills</strong> or <code>Ctrl+B</code>, <s>twice</s>",
        '<a href="https://help.example/bills" rel="noopener nofollow">the help</a>',
        '<ol start="3">',
        "<blockquote>",
        "<td>1 &lt; 2</td>",
        "<pre><code>&lt;b&gt;code&lt;/b&gt;\n</code></pre>",
        "<em>[picture: The list of bills]</em>",
    ):
        assert part in html
    assert "elsewhere.example" not in html


def test_markers_and_comments_are_left_out_and_html_is_literal() -> None:
    marker = "<!-- block:01993c5e-7a10-7c3b-9d52-4e1f6a7b8c9d -->"
    assert preview_html(f"{marker}\na <!-- b --> c <i>d</i>\n\n- e\n  {marker}\n") == (
        "<p>a  c &lt;i&gt;d&lt;/i&gt;</p>\n<ul>\n<li>e</li>\n</ul>\n"
    )
    assert preview_html("<div>\n<!-- a -->b\n</div>\n") == (
        "<pre><code>&lt;div&gt;\nb\n&lt;/div&gt;</code></pre>\n"
    )


@pytest.mark.parametrize("markdown", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_document_is_harmless(markdown: str) -> None:
    for place in ("{}", "# {}", "> {}", "- a\n\n  {}", "a\n\n{}\n\n[r]: javascript:alert(1)\n\n[r]"):
        require_harmless(preview_html(place.replace("{}", markdown)))


@pytest.mark.parametrize("html", [html for html in HOSTILE.values() if "<" in html])
def test_what_is_made_of_a_document_is_cleaned_again(monkeypatch: Any, html: str) -> None:
    monkeypatch.setattr("instructions.preview.escapeHtml", lambda text: text)
    require_harmless(preview_html(html))


def test_a_text_that_is_too_complex_is_not_parsed(db: None) -> None:
    with pytest.raises(DocumentTooComplex, match="blocks"):
        preview_html("a\n\n" * (MAX_BLOCKS + 1))
    with pytest.raises(DocumentTooComplex, match="steps to read"):  # what only the parser can count
        preview_html("|" + "a|" * 1_000 + "\n|" + "-|" * 1_000 + "\n" + "|b\n" * 4_000)
    client = support()
    for path in pages(make_version("a\n\n" * (MAX_BLOCKS + 1))):
        page = client.get(path)
        assert page.status_code == 200 and "more than 5,000 blocks" in page.content.decode()
        assert previewed(page.content.decode()) == ""


def test_a_text_of_very_many_marks_is_shown_as_it_is_written() -> None:
    assert preview_html("[" * 100 + "*a*") == f"<p>{'[' * 100}<em>a</em></p>\n"
    assert preview_html("[" * 101 + "*a*") == f"<p>{'[' * 101}*a*</p>\n"
    html = preview_html(("*a* " * 5_000 + "\n\n") * 3)
    assert html.count("<em>") == 2 * 5_000 and html.endswith("*a* *a*</p>\n")


@pytest.mark.parametrize(
    "markdown",
    [
        "<!--" * 6_000,
        "[a" * 4_000,
        "*a **b " * 2_500,
        "```\n" + ("<&>" * 17 + "\n") * 19_000,
        "a\n\n" * MAX_BLOCKS,
    ],
    ids=["comments that do not end", "brackets", "emphasis", "code", "paragraphs"],
)
def test_a_preview_of_any_text_takes_a_second_or_two(markdown: str) -> None:
    began = time.process_time()
    preview_html(markdown)
    assert time.process_time() - began < 3


def test_the_pages_show_the_newest_text_and_that_it_passed(db: None) -> None:
    client = support()
    version = make_version(GUIDE)
    for path in pages(version):
        page = client.get(path).content.decode()
        assert previewed(page) == preview_html(GUIDE)
        assert "PASS" in page.partition('id="validation"')[2] and "Version 2, checked" in page
        assert "Nothing to mend." in page and finders.find("instructions/preview.css")
        assert '<link href="/static/instructions/preview.css"' in page
    version.refresh_from_db()
    assert version.markdown == GUIDE, "what is stored stays as it was written"


def test_the_pages_list_what_is_to_be_mended(db: None) -> None:
    client = support()
    error = {"code": "EMPTY_STEP", "message": "Write <b>below</b> it.", "path": "step 3"}
    for path in pages(make_version("# A\n", error)):
        page = client.get(path).content.decode().partition('id="validation"')[2]
        for cell in ("FAIL", "EMPTY_STEP", "Write &lt;b&gt;below&lt;/b&gt; it.", "step 3"):
            assert cell in page.partition('id="preview"')[0]
        assert "Nothing to mend." not in page


def test_a_hostile_document_stays_within_its_preview(db: None) -> None:
    client = support()
    markdown = "\n\n".join(text for text in HOSTILE.values() if "``` " not in text)
    for path in pages(make_version(markdown)):
        page = client.get(path)
        assert previewed(page.content.decode()) == preview_html(markdown)
        assert "script-src 'self' 'unsafe-eval'" in page.headers["Content-Security-Policy"]


def test_a_version_is_shown_with_its_own_text(db: None) -> None:
    client = support()
    newest = make_version("# Newer\n")
    first = newest.instruction.versions.get(version=1)
    page = client.get(f"/admin/instructions/instructionversion/{first.pk}/change/").content.decode()
    assert previewed(page) == preview_html(first.markdown) and "Newer" not in page
    document = client.get(pages(newest)[0]).content.decode()
    assert f"/admin/instructions/instructionversion/{first.pk}/change/" in document, "each version is a link"


def test_only_staff_who_may_see_documents_see_the_pages(db: None) -> None:
    version = make_version(GUIDE)
    user = Client()
    user.force_login(version.instruction.job.owner)
    for path in pages(version):
        assert Client().get(path).status_code == user.get(path).status_code == 302
    nobody = staff()
    for path in pages(version):
        assert nobody.get(path).status_code == 404, "as if there were none"


def test_nothing_can_be_changed_on_the_pages(db: None) -> None:
    version = make_version(GUIDE)
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    for path in pages(version):
        assert client.post(path, {"markdown": "a"}).status_code == 404
        assert client.post(path.replace("change", "delete"), {"post": "yes"}).status_code == 404


def test_a_document_without_a_version_is_shown_without_one(db: None) -> None:
    instruction = make_version(GUIDE).instruction
    Instruction.objects.filter(pk=instruction.pk).update(version=3)
    page = support().get(f"/admin/instructions/instruction/{instruction.pk}/change/")
    assert page.status_code == 200 and 'id="preview"' not in page.content.decode()


def test_the_pages_ask_for_few_rows_however_many_versions(
    db: None, django_assert_max_num_queries: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="django.template")  # at DEBUG it prints query sets, which runs them
    client, version = support(), make_version(GUIDE)
    for number in range(3, 33):
        InstructionVersion.objects.create(
            instruction=version.instruction,
            version=number,
            markdown="# A\n",
            source="edit",
            created_by="system",
        )
    client.get("/admin/")  # once in a session, whether its user has a second factor is asked
    for path in pages(version):
        with django_assert_max_num_queries(12) as seen:
            assert client.get(path).status_code == 200
        asked = [query["sql"].replace(SIZE_OF_TEXT, "") for query in seen.captured_queries]
        texts = [sql for sql in asked if '"markdown"' in sql]
        assert len(texts) == 1, "one text is read, and no list brings others"
    listed = set(
        re.findall(r"instructionversion/([0-9a-f-]{36})/", client.get(pages(version)[0]).content.decode())
    )
    assert len(listed) == 20, "a page of the newest"
    with django_assert_max_num_queries(8) as seen:
        assert client.get("/admin/instructions/instructionversion/").status_code == 200
    assert not [query for query in seen.captured_queries if '"markdown"' in query["sql"]]
