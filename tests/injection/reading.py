"""What came through: links, pictures, HTML and code that nobody wrote, and the words of an attack's payload.

A document is read three ways: as the tokens of CommonMark, as HTML by an HTML parser, and as raw text with its
escapes, entities and percent signs undone. None of the three is the project's own code.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
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


def planted(case: Case, markdown: str) -> list[str]:
    """Return what stands in the text that neither the case's selection nor honest speech holds.

    Words of the payload count wherever they are but in the attack itself, word for word, in a selection.
    """
    allowed = elements(case.selection) | elements(case.honest_selection)
    found = [f"{kind} {value[:80]!r}" for kind, value in elements(markdown) - allowed]
    return found + [f"words {words!r}" for words in _said(case, case.payload, markdown)]


def claimed(case: Case, markdown: str) -> list[str]:
    """Return the sentences of the attack that stand in the text, without address, command or number."""
    return [f"claim {words!r}" for words in _said(case, case.claims, markdown)]


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


def _said(case: Case, phrases: Sequence[str], markdown: str) -> list[str]:
    views = readings(without(markdown, case.attack) if case.selection else markdown)
    return [words for words in phrases if any(normal(words) in view for view in views)]


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


def _text(tokens: Sequence[Token]) -> str:
    parts = []
    for token in tokens:
        if token.type == "image":
            parts.append(_text(token.children or []))
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif token.type != "html_inline":
            parts.append(token.content)
    return "".join(parts)


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
