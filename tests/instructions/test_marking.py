"""The outline of a text that has just been given its markers is the one that a parse of that text finds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from instructions.blocks import Outline, add_text, normalized, read_outline, with_markers
from instructions.complexity import MAX_BLOCKS
from instructions.marking import marked_outline
from instructions.parser import MAX_WORK
from instructions.services.versions import prepare_text
from tests.instructions.markers import A, B, counted_ids

PIECES = [
    *(
        "a",
        "# a",
        "Step 1: a",
        "## Step 1: b",
        "===",
        "---",
        "***",
        "- a",
        "* b",
        "1. a",
        "2) b",
        "  - c",
        "-",
    ),
    *(
        "> q",
        ">",
        "> - q",
        "    code",
        "\tcode",
        "```",
        "~~~ x",
        "``` a`b",
        "|a|b|",
        "|-|-|",
        "| c",
        "[r]: /x",
    ),
    *(
        "[r]: /x 'y",
        "'z'",
        "[r",
        "]: /x",
        "<div>",
        "</div>",
        "<p>a",
        "<!-- c",
        "-->",
        "<!-- c -->",
        "<script>",
    ),
    *("<?", "<b>", "![a](b)", "[a][r]", "", "", "", " ", "a  ", "&nbsp;", "\\", "   a", "a\\", "\u2028"),
    *(f"<!-- block:{A} -->", f"<!-- block:{B} -->", f"  <!--block:{A.upper()}-->", "<!-- block:x -->"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("\n".join)


def both(markdown: str) -> tuple[Outline | None, Outline]:
    """The outline of the text with its markers, as it is derived and as it is parsed, both with their text."""
    before = read_outline(normalized(markdown), with_text=False, max_work=MAX_WORK)
    marked = with_markers(before, counted_ids())
    derived = marked_outline(before, marked)
    if derived:
        add_text(derived)
    return derived, read_outline(marked, max_work=MAX_WORK)


def shown(outline: Outline) -> dict[str, Any]:
    """All that stands in an outline, but for the lines of tokens and blank ends of open code: neither is asked for."""
    blocks = [
        {
            **vars(block),
            "tokens": [
                (token.type, token.tag, token.level, token.content.rstrip(), token.info, token.markup)
                for token in block.tokens
            ],
        }
        for block in outline.blocks
    ]
    definitions = {
        name: (one["href"], one["title"]) for name, one in outline.environment.get("references", {}).items()
    }
    return {**vars(outline), "blocks": blocks, "environment": definitions}


@settings(deadline=None, max_examples=400)
@example(f"<!-- block:{A} -->\n# a\nb\n- c\n\n\n")
@example("[r]: /x\n# a\n[s]: /y\nb\n***\n    code")
@given(TEXTS)
def test_it_is_what_a_parse_finds(markdown: str) -> None:
    derived, parsed = both(markdown)
    if derived is not None:
        assert shown(derived) == shown(parsed)


@pytest.mark.parametrize("missing", ["", f"<!-- block:{A} -->\n", f" <!--  block:{A.upper()} -->\n"])
def test_it_is_known_when_markers_are_there_or_missing(missing: str) -> None:
    derived, parsed = both(f"{missing}# a\n\nb\n- c\n")
    assert derived is not None and shown(derived) == shown(parsed)


@pytest.mark.parametrize(
    "markdown",
    [
        f"<!-- block:{A} -->\n\n# a\n",
        f"<!-- block:{A} -->\n<!-- block:{B} -->\n# a\n",
        f"a\n<!-- block:{A} -->\n[r]: /x\n\nb\n",
        f"<!-- block:{A} -->\na\n\n<!-- block:{A} -->\nb\n",
        "<!-- block:x -->\na\n",
        f"a\n\n<!-- block:{A} -->\n",
    ],
    ids=["away from its block", "two", "before a definition", "twice", "malformed", "at the end"],
)
def test_the_parser_looks_again_when_a_marker_goes(markdown: str) -> None:
    assert both(markdown)[0] is None


def test_the_parser_looks_again_when_its_limit_might_be_met() -> None:
    assert both("a\n\n" * 1000)[0] is not None
    assert both("- a\n\n***\n\n" * (MAX_BLOCKS // 2 - 1))[0] is None


@pytest.mark.parametrize("line", ["New.\n\n", "- new\n\n", "```\nnew\n```\n\n"])
def test_a_text_with_a_new_block_is_parsed_once(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    marked = prepare_text("# A\n\n## Step 1: b\n\nc\n").markdown
    parsed, parse = [], MarkdownIt.parse
    monkeypatch.setattr(MarkdownIt, "parse", lambda *given: parsed.append(given) or parse(*given))
    assert len(prepare_text(line + marked).blocks) == 4
    assert len(parsed) == 1
