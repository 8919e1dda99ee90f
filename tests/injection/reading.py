"""What came through: links, pictures, HTML and code that nobody wrote, and the words of an attack's payload.

A document is read three ways: as the tokens of CommonMark, as HTML by an HTML parser, and as raw text with its
escapes, entities and percent signs undone. None of the three is the project's own code.
"""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.injection.cases import Case, normal, without

_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_MARKUP = frozenset(
    {
        *("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "hr", "br", "code", "pre"),
        *("strong", "em", "s", "a", "img", "table", "thead", "tbody", "tr", "th", "td"),
    }
)
_ATTRIBUTES = frozenset({"href", "src", "title", "alt", "start", "class", "style"})


class _Lenient(MarkdownIt):
    """A parser that takes every address for one, as other programs that read the file may."""

    def validateLink(self, url: str) -> bool:
        return True


_PARSER = _Lenient("commonmark").enable(["table", "strikethrough"])


def planted(case: Case, markdown: str, *, known: str | None = None) -> list[str]:
    """Return what stands in the text that neither `known` (the case's selection) nor honest speech holds.

    Words of the payload count wherever they are but in the attack itself, word for word, in a selection.
    """
    known = case.selection if known is None else known
    allowed = elements(known) | elements(without(known, case.attack))
    found = [f"{kind} {value[:80]!r}" for kind, value in elements(markdown) - allowed]
    rest = without(markdown, case.attack) if known else markdown
    views = readings(rest)
    found += [f"words {words!r}" for words in case.payload if any(normal(words) in view for view in views)]
    return found


def elements(markdown: str) -> Counter[tuple[str, str]]:
    """Return links, pictures, titles of both, HTML and code with their contents, and how often each is there."""
    found: Counter[tuple[str, str]] = Counter()
    environment: dict[str, Any] = {}
    tokens = _PARSER.parse(markdown, environment)
    for token in tokens:
        for each in (token, *(token.children or ())):
            found.update(_named(each))
    for definition in environment.get("references", {}).values():
        found["definition", str(definition["href"])] += 1
    for tag in _tags(_PARSER.renderer.render(tokens, _PARSER.options, environment)):
        found["tag", tag] += 1
    return found


def visible(markdown: str) -> str:
    """Return what a reader sees, as `normal` gives it: text and code, no addresses, no HTML."""
    tokens = _PARSER.parse(markdown)
    parts = []
    for token in tokens:
        if token.type in ("fence", "code_block"):
            parts.append(token.content)
        elif token.type == "inline":
            parts.append(_text(token.children or []))
    return normal("\n".join(parts))


def readings(markdown: str) -> list[str]:
    """Return the text in every way in which words may stand in it: as seen, as written, and decoded."""
    bare = unescape(_ESCAPE.sub(r"\1", markdown))
    return [
        visible(markdown),
        normal(markdown),
        normal(bare),
        normal(unquote(bare)),
        normal(bare.replace("\x00", "")),
    ]


def _named(token: Token) -> list[tuple[str, str]]:
    title = [("title", str(token.attrs["title"]))] if token.attrs.get("title") else []
    match token.type:
        case "link_open":
            return [("link", str(token.attrs.get("href", ""))), *title]
        case "image":
            return [("image", str(token.attrs.get("src", ""))), *title]
        case "html_inline" | "html_block":
            return [("html", token.content.strip())]
        case "code_inline" | "fence" | "code_block":
            return [("code", token.content.strip())]
    return []


def _text(tokens: list[Token]) -> str:
    return "".join(
        " " if token.type in ("softbreak", "hardbreak")
        else _text(token.children or []) if token.type == "image"
        else "" if token.type == "html_inline"
        else token.content
        for token in tokens
    )  # fmt: skip


def _tags(html: str) -> list[str]:
    """Return the tags, attributes and comments of a page that Markdown alone does not make."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend([tag] if tag not in _MARKUP else [])
            for name, value in attrs:
                is_plain = name in _ATTRIBUTES and (
                    name != "style" or str(value).startswith("text-align:") and ";" not in str(value)
                )
                found.extend([] if is_plain else [f"{tag} {name}"])

        def handle_comment(self, data: str) -> None:
            found.append(f"comment {data.strip()}")

        def handle_decl(self, decl: str) -> None:
            found.append(f"declaration {decl}")

        def unknown_decl(self, data: str) -> None:
            found.append(f"declaration {data}")

        def handle_pi(self, data: str) -> None:
            found.append(f"instruction {data}")

    reader = Reader(convert_charrefs=True)
    reader.feed(html)
    reader.close()
    return found
