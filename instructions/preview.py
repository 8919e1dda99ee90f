"""The HTML of a document for those who look after a service: harmless, whatever the document says.

HTML in the text is shown literally and comments are left out. Pictures are shown by their descriptions, so that a page
asks no other server for anything. What is made of the tokens is then cleaned by a list of what may stay.
"""

from __future__ import annotations

from collections.abc import Sequence

import nh3
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from instructions.blocks import Outline, read_outline
from instructions.complexity import check_complexity, count_marks
from instructions.parser import INLINE_NESTING, MAX_WORK, make_parser, parse_inline

# Of what a page parses; more is shown as it is written. Below both, inline parsing takes a third of a second.
_MAX_MARKS, _MAX_BRACKETS = 20_000, 100

_INLINE_PARSER = make_parser(nesting=INLINE_NESTING)
# No class, id, style or attribute of a script's: the admin's own scripts act on such. Without a scheme a link would
# lead into the admin.
_CLEANER = nh3.Cleaner(
    tags={
        *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "ul", "ol", "li", "blockquote", "pre", "code"),
        *("table", "thead", "tbody", "tr", "th", "td", "em", "strong", "s", "a"),
    },
    attributes={"*": set(), "a": {"href"}, "ol": {"start"}},  # without "*" each may have `lang` and `title`
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener nofollow",
)


def preview_html(markdown: str) -> str:
    """Return the document as HTML that may be put into a page. Raises DocumentTooComplex where no parse is spent."""
    check_complexity(markdown)
    outline = read_outline(markdown, with_text=False, max_work=MAX_WORK)
    tokens = [token for block in outline.blocks for token in block.tokens]
    _read_inline(tokens, outline)
    html = _Renderer().render(tokens, _INLINE_PARSER.options, outline.environment)
    return _CLEANER.clean(html)


class _Renderer(RendererHTML):
    """Renders HTML as text, and pictures as their descriptions."""

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        text = _without_comments(tokens[idx].content).strip()
        return f"<pre><code>{escapeHtml(text)}</code></pre>\n" if text else ""

    def html_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return escapeHtml(_without_comments(tokens[idx].content))

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        described = self.renderInlineAsText(tokens[idx].children, options, env).strip()
        return f"<em>[picture{': ' if described else ''}{escapeHtml(described)}]</em>"


def _read_inline(tokens: Sequence[Token], outline: Outline) -> None:
    """Give each `inline` token its children: one text, unparsed, when there are marks for seconds of parsing."""
    marks = 0
    for token in tokens:
        if token.type == "inline":
            marks += count_marks(token.content)
            if marks > _MAX_MARKS or token.content.count("[") > _MAX_BRACKETS:
                token.children = [Token("text", "", 0, content=token.content)]
            else:
                token.children = parse_inline(token, _INLINE_PARSER, outline.environment)


def _without_comments(html: str) -> str:
    kept, end = [], 0
    while (start := html.find("<!--", end)) >= 0 and (stop := html.find("-->", start + 4)) >= 0:
        kept.append(html[end:start])
        end = stop + len("-->")
    return "".join([*kept, html[end:]])
