"""Plain text out of what a model has written: no Markdown, no HTML, no targets of links."""

from __future__ import annotations

import html
import re
import unicodedata

MAX_ROUNDS = 8

_WHOLE_ELEMENT = re.compile(
    r"<(script|style|svg|iframe|object|template)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL
)
_COMMENT = re.compile(
    r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)|<![a-z][^>]*>", re.DOTALL | re.IGNORECASE
)
_TAG = re.compile(r"</?[a-z][^<>]*(?:>|\Z)", re.IGNORECASE)
_PICTURE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)?|\[[^\]]*\])?")
_LINK = re.compile(r"\[([^\[\]]*)\](?:\([^)]*\)?|\[[^\]]*\])")
_DEFINITION = re.compile(r"^[ \t]*\[[^\]]{1,999}\]:.*$", re.MULTILINE)  # a label may go on over lines
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,}).*$", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:(?:[-*_=][ \t]*){3,}|\|?[ \t]*:?-{2,}[-|: \t]*)$", re.MULTILINE)
_LINE_START = re.compile(
    r"^[ \t]*(?:#{1,6}(?=[ \t]|$)|>|[-*+•](?=[ \t])|\d{1,3}[.)](?=[ \t]))[ \t]*", re.MULTILINE
)
_TABLE_ROW = re.compile(r"^[ \t]*\|(.*)\|[ \t]*$", re.MULTILINE)
_STRONG = re.compile(r"(\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
_EMPHASIS = re.compile(r"(?<![\w*])([*_])(?=\S)([^*_\n]+?)(?<=\S)\1(?![\w*])")
_CODE = re.compile(r"`+")
_JOINERS = "\u200c\u200d"  # which some scripts and pictures need

# What goes with its target, and what only loses its marks.
_REMOVED = (
    (_WHOLE_ELEMENT, " "),
    (_COMMENT, " "),
    (_DEFINITION, ""),
    (_PICTURE, " "),
    (_LINK, r"\1"),
    (_TAG, " "),
)
_UNMARKED = (
    (_FENCE, ""),
    (_RULE, ""),
    (_TABLE_ROW, r"\1"),
    (_LINE_START, "\n\n"),
    (_STRONG, r"\2"),
    (_EMPHASIS, r"\2"),
    (_CODE, ""),
)


def plain_paragraphs(text: str) -> tuple[list[str], bool]:
    """Return the paragraphs of a text, each on one line of plain text, and whether there was markup with a target or
    HTML, which is gone with its target. Emphasis and code lose their marks only, lists become paragraphs."""
    shown = _visible(text)
    removed = False
    for _ in range(MAX_ROUNDS):  # what is escaped, or torn apart, may be markup once it is not
        before = shown
        shown = html.unescape(shown)
        for form, instead in _REMOVED:
            shown, count = form.subn(instead, shown)
            removed = removed or count > 0
        for form, instead in _UNMARKED:
            shown = form.sub(instead, shown)
        if shown == before:
            break
    else:
        return [], True  # nothing that anybody writes
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n[ \t]*\n", shown))
    return [paragraph for paragraph in paragraphs if paragraph], removed


def plain_line(text: str) -> tuple[str, bool]:
    """Return the same on one line."""
    paragraphs, removed = plain_paragraphs(text)
    return " ".join(paragraphs), removed


def _visible(text: str) -> str:
    """Return the text without characters that nobody sees; line ends and tabs stay."""
    kept = (
        sign
        for sign in text.replace("\r\n", "\n").replace("\r", "\n")
        if sign in "\n\t"
        or sign in _JOINERS
        or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    return "".join(kept)
