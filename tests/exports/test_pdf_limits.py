"""The PDF of hostile and large texts: it is made or refused, and time and memory are bounded."""

from __future__ import annotations

import time
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exports.renderers import RenderFailed, pdf
from tests.exports.documents import PNG, drawing, encoded
from tests.exports.pdf_reading import images_on_pages, rendered

pytestmark = pytest.mark.slow


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
    "marks": "a" + "\u0301" * 500_000,
    "marks and joiners": "a" + "\u0301\u200d" * 150_000,
    "marks in code": "`" + "\u0301" * 500_000 + "`",
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
def test_the_time_of_typst_grows_less_than_quadratically(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spent = 0.0
    compile_with_typst = pdf._compile

    def timed(*given: Any, **options: Any) -> Any:
        nonlocal spent
        begin = time.process_time()
        try:
            return compile_with_typst(*given, **options)
        finally:
            spent += time.process_time() - begin

    monkeypatch.setattr(pdf, "_compile", timed)
    rendered("warm up")
    costs = []
    for size in (4_000, 16_000):
        spent = 0.0
        rendered(f"# T\n\n{GROWING[kind](size)}")
        costs.append(spent)
    assert costs[1] < 7 * costs[0], costs


BLOCK_STARTS = ["# ", "### Step 3: ", "- ", "1. ", "> ", "```\n", "|a|b|\n|-|-|\n|", "\n", "\n\n", "    "]
INLINE_PARTS = ["`", "**", "*", "~~", "[x](", ")", "![", "](http://a.b)", "<b>", "<!--", "-->", "\\"]
PARTS = st.one_of(
    st.sampled_from([*BLOCK_STARTS, *INLINE_PARTS, "#read(", "$", "(0:01–0:02)"]),
    st.text(max_size=12),
    st.text("ab אبक\u0301\u093e\u20dd\u200d\ufe0f👩🇩中\u202e\u00ad\t", max_size=8),
)


@pytest.mark.soak
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PARTS, max_size=14).map("".join), st.text(max_size=6), st.text(max_size=6))
def test_no_text_makes_the_pdf_fail(markdown: str, title: str, language: str) -> None:
    content = rendered(markdown, (None, PNG), title=title, language=language, alt=title)
    assert images_on_pages(content)[-1] == 1


def test_pictures_of_earlier_exports_are_not_kept_in_memory() -> None:
    """Each export has five pictures of 2.7 MB decoded, so ten exports would keep 135 MB."""
    worker = psutil.Process()
    memory = []
    for number in range(12):
        pictures = [encoded(drawing(5 * number + n, size=(1280, 720))) for n in range(5)]
        rendered("# T", *[(None, content) for content in pictures])
        memory.append(worker.memory_info().rss)
    assert memory[-1] - memory[1] < 60e6
