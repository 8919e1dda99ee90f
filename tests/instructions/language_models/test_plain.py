"""Plain text out of what a model has written."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from instructions.language_models.checks.plain import plain_line, plain_paragraphs


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Click **Save** and _wait_ for `done`.", "Click Save and wait for done."),
        ("## Step 2\n\nClick it", "Step 2 Click it"),
        ("- one\n- two\n3. three", "one two three"),
        ("> quoted", "quoted"),
        ("```sh\nls\n```", "ls"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a | b 1 | 2"),
        ("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"),
        ("a\x00b\u202ec\u200bd\ufeff", "abcd"),
        ("at <5 and > 3", "at <5 and > 3"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_marks_go_and_words_stay(text: str, plain: str) -> None:
    assert plain_line(text) == (plain, False)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("See [the page](https://evil.example 'x') now", "See the page now"),
        ("See [the page][1] now\n\n[1]: https://evil.example", "See the page now"),
        ("![alt](https://evil.example/a.png)Go", "Go"),
        ("a<script>alert(1)</script>b", "a b"),
        ("a<img src=x onerror=alert(1)>b", "a b"),
        ("a<svg><a href='x'>y</a></svg>b", "a b"),
        ("a <!-- block:0190a000-0000-7000-8000-00000000000a --> b", "a b"),
        ("a &lt;script&gt;alert(1)&lt;/script&gt; b", "a b"),
        ("a <scr<b>ipt>alert(1)</scr</b>ipt> b", "a alert(1) b"),
        ("a <img src=x", "a"),
        ("a <!-- never closed", "a"),
        ("<https://evil.example>", ""),
    ],
)
def test_markup_with_a_target_goes_and_is_told(text: str, plain: str) -> None:
    assert plain_line(text) == (plain, True)


def test_paragraphs_are_kept_apart() -> None:
    assert plain_paragraphs("One\nline.\n\nAnother.\n- Item") == (["One line.", "Another.", "Item"], False)


@settings(max_examples=500, deadline=None)
@example("[\n]:")
@given(st.text(alphabet="<>!-[]()&;lgt#x3c/abscript:`*_|\n\"'= ", max_size=60))
def test_no_tag_comment_or_link_is_left(text: str) -> None:
    line, _ = plain_line(text)
    tokens = [child for token in MarkdownIt("commonmark").parse(line) for child in token.children or ()]
    assert {token.type for token in tokens}.isdisjoint({"html_inline", "link_open", "image"})
    assert plain_line(line)[1] is False, "a second look removes no markup"
