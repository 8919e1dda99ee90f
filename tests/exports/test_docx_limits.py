"""The DOCX of hostile and large texts: it is made, in bounded time."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.exports.documents import PNG
from tests.exports.docx_reading import opened, rendered

pytestmark = [pytest.mark.slow, pytest.mark.soak]

HOSTILE = {
    "quotations": ">" * 300 + " deep",
    "lists": "".join("  " * n + "- a\n" for n in range(60)),
    "both": "> - " * 60 + "x",
    "emphasis": "*" * 3000 + "a" + "*" * 3000,
    "brackets": "[" * 3000 + "a" + "]" * 3000,
    "links": "".join(f"[a](http://x/{n}) " for n in range(50_000)),
    "one line of code": "```\n" + "x" * 100_000,
    "columns": "|" + "a|" * 500 + "\n|" + "-|" * 500 + "\n|" + "b|" * 500,
    "entities": "&#0;&#xD800;&#x10FFFF;&lt;&nbsp;&zwj;",
    "numbers": "999999999. a\n\n0. b\n",
    "marks": "a" + "\u0301" * 500_000,
    "nothing": "",
    "comment": "<!-- only -->",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_rendered(name: str) -> None:
    assert len(opened(rendered(f"# T\n\n{HOSTILE[name]}", (None, PNG))).inline_shapes) == 1


GROWING = {
    "directions": lambda size: "אa" * size,
    "links": lambda size: "".join(f"[a](http://x/{n})\n\n" for n in range(size // 4)),
    "lists": lambda size: "".join(f"1. a\n\nb{n}\n\n" for n in range(size // 8)),
    "spans": lambda size: "".join(f"`a{n}` **b** " for n in range(size)),
}


@pytest.mark.parametrize("kind", GROWING)
def test_the_time_grows_less_than_quadratically(kind: str) -> None:
    costs = []
    for size in (10_000, 40_000):
        begin = time.process_time()
        rendered(f"# T\n\n{GROWING[kind](size)}")
        costs.append(time.process_time() - begin)
    assert costs[1] < 7 * costs[0], costs


BLOCK_STARTS = ["# ", "### Step 3: ", "- ", "1. ", "> ", "```\n", "|a|b|\n|-|-|\n|", "\n", "\n\n", "    "]
INLINE_PARTS = [
    "`",
    "**",
    "*",
    "~~",
    "[x](http://a.b/",
    ")",
    "![",
    "](http://a.b)",
    "<b>",
    "<!--",
    "-->",
    "\\",
]
PARTS = st.one_of(
    st.sampled_from([*BLOCK_STARTS, *INLINE_PARTS, "]]>", "&", "(0:01–0:02)"]),
    st.text(max_size=12),
    st.text("ab אبक\u0301\u093e\u200d\ufe0f👩🇩中\u202e\u00ad\t\x00\ufffe", max_size=8),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PARTS, max_size=14).map("".join), st.text(max_size=6), st.text(max_size=6))
def test_no_text_makes_the_docx_fail(markdown: str, title: str, language: str) -> None:
    content = rendered(markdown, (None, PNG), title=title, language=language, alt=title)
    assert len(opened(content).inline_shapes) == 1
