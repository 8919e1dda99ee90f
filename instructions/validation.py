"""Find issues in an instruction's structure and unsafe content. Issues never block saving.

An issue's `path` names a place in the structure ("step 3", "block 5", "document") and quotes no text.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from instructions.blocks import (
    Outline,
    TopLevel,
    read_outline,
    section_end,
    split_step_heading,
)
from instructions.complexity import count_marks
from instructions.parser import BLOCK_NESTING, INLINE_NESTING, make_parser, parse_inline

VALIDATOR_VERSION = "1"
MAX_ISSUES = 200
_MAX_MARKS = 20_000

# Characters that browsers remove from a URL before they read its scheme (WHATWG URL, 4.4).
_IGNORED_IN_URLS = re.compile("[\x00-\x20\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):")
_UNSAFE_SCHEMES = frozenset({"javascript", "vbscript", "file", "data"})
_UNSAFE_TARGET = re.compile(r"(?:\(|<|\]:)(?:javascript|vbscript|file|data):")
_TAG = re.compile(r"<[a-zA-Z/!?]")
_SAFE_DATA = re.compile(r"data:image/(?:png|jpe?g|gif|webp)[;,]")
_MESSAGES = {
    "MISSING_TITLE": "Begin the document with a title: one heading of level 1.",
    "NO_STEPS": 'Add at least one step: a heading that begins with "Step 1:".',
    "EMPTY_STEP": "Write below the step's heading what to do.",
    "STEP_OUT_OF_SEQUENCE": "Number the steps 1, 2, 3 and so on through the whole guide.",
    "HEADING_LEVEL_SKIPPED": "Use a heading one level below the heading above it, not deeper.",
    "UNSAFE_HTML": "Remove the HTML, or write it as Markdown. Only comments are allowed.",
    "UNSAFE_LINK": "Link to a web address that begins with https:// instead.",
    "BROKEN_IMAGE_REF": "Point the picture at one that exists, or remove it.",
}

Issue = tuple[int, str]  # index of the block, -1 for the document; code


@dataclass(frozen=True)
class ValidationIssue:
    """An issue: `code` is one of the contract's, `message` says what to do about it."""

    code: str
    message: str
    path: str


class _LenientParser(MarkdownIt):
    """A parser that keeps every link; the stock parser reads unsafe ones as plain text."""

    def validateLink(self, url: str) -> bool:
        return True

    def normalizeLink(self, url: str) -> str:
        """Return the target as written: percent-encoding would hide control characters and change names."""
        return url


_BLOCK_PARSER = make_parser(_LenientParser, nesting=BLOCK_NESTING)
_INLINE_PARSER = make_parser(_LenientParser, nesting=INLINE_NESTING)


def validate(
    markdown: str,
    known_images: Container[str] = (),
    *,
    outline: Outline | None = None,
    max_work: int | None = None,
) -> list[ValidationIssue]:
    """Return the issues in order of their place, at most `MAX_ISSUES`, each code once a place.

    `known_images` holds the picture targets that exist besides web addresses and `data:` pictures. An `outline` with
    its text is taken over where the two parsers read blocks alike: without definitions of links. Raises
    DocumentTooComplex as `read_outline` does.
    """
    if outline is None or "]:" in markdown:
        outline = read_outline(markdown, _BLOCK_PARSER, max_work=max_work)
    found = [*_structure(outline.blocks), *_sequence(outline.blocks), *_content(outline, known_images)]
    places = _places(outline.blocks)
    found.sort(key=lambda issue: issue[0])
    named = dict.fromkeys((code, places[index] if index >= 0 else "document") for index, code in found)
    return [ValidationIssue(code, _MESSAGES[code], path) for code, path in list(named)[:MAX_ISSUES]]


def _structure(blocks: Sequence[TopLevel]) -> Iterator[Issue]:
    content = [block for block in blocks if block.kind != "html"]
    if not content or content[0].level != 1 or not content[0].text:
        yield -1, "MISSING_TITLE"
    if not any(block.is_step for block in blocks):
        yield -1, "NO_STEPS"
    above = 1
    for index, block in enumerate(blocks):
        if block.level is None:
            continue
        if block.level > above + 1:
            yield index, "HEADING_LEVEL_SKIPPED"
        above = block.level
        if block.is_step and not _has_content(blocks, index):
            yield index, "EMPTY_STEP"


def _sequence(blocks: Sequence[TopLevel]) -> Iterator[Issue]:
    """Yield steps with a wrong number. Steps within a step are numbered on their own."""
    last_numbers = {0: 0}  # by the level of the step around them; 0 is the document
    for index, block in enumerate(blocks):
        if block.level is None:
            continue
        last_numbers = {level: number for level, number in last_numbers.items() if level < block.level}
        if block.is_step:
            number = split_step_heading(block.text or "")[0] or 0
            around = max(last_numbers)
            if number != last_numbers[around] + 1:
                yield index, "STEP_OUT_OF_SEQUENCE"
            last_numbers[around] = number
            last_numbers[block.level] = 0


def _has_content(blocks: Sequence[TopLevel], index: int) -> bool:
    within = blocks[index + 1 : section_end(blocks, index)]
    return any(block.kind not in ("heading", "rule", "html") for block in within)


def _places(blocks: Sequence[TopLevel]) -> list[str]:
    """Return for each block the innermost step around it, or its position among all blocks."""
    open_steps: list[tuple[int, str]] = []
    places = []
    for position, block in enumerate(blocks, start=1):
        if block.level is not None:
            open_steps = [step for step in open_steps if step[0] < (block.level or 0)]
            if block.is_step:
                open_steps.append((block.level, f"step {split_step_heading(block.text or '')[0]}"))
        places.append(open_steps[-1][1] if open_steps else f"block {position}")
    return places


def _content(outline: Outline, known_images: Container[str]) -> Iterator[Issue]:
    """Yield issues of HTML, links and pictures; text with very many marks is checked by patterns alone.

    markdown-it spends up to 0.3 ms on each of many brackets in one paragraph, and 15 µs on any other mark.
    Documents that people write stay far below these limits; above them 1 MiB could take minutes.
    """
    definitions = outline.environment.get("references", {}).values()
    safe_definitions = all(_is_safe(definition["href"]) for definition in definitions)
    marks = 0
    for index, block in enumerate(outline.blocks):
        for token in block.tokens:
            if token.type == "html_block" and not _is_comment(token.content):
                yield index, "UNSAFE_HTML"
            elif token.type == "inline" and ("<" in token.content or "]" in token.content):
                marks += count_marks(token.content)
                rough = marks > _MAX_MARKS or token.content.count("[") > 100
                codes = (
                    _look_roughly(token, safe_definitions) if rough else _look(token, outline, known_images)
                )
                yield from ((index, code) for code in codes)


def _look(token: Token, outline: Outline, known_images: Container[str]) -> Iterator[str]:
    for child in parse_inline(token, _INLINE_PARSER, outline.environment):
        if child.type == "html_inline" and not _is_comment(child.content):
            yield "UNSAFE_HTML"
        elif child.type == "link_open" and not _is_safe(str(child.attrs.get("href", ""))):
            yield "UNSAFE_LINK"
        elif child.type == "image":
            target = str(child.attrs.get("src", ""))
            if not _is_safe(target):
                yield "UNSAFE_LINK"
            elif not _picture_exists(target, known_images):
                yield "BROKEN_IMAGE_REF"


def _look_roughly(token: Token, safe_definitions: bool) -> Iterator[str]:
    """Yield issues by patterns: code spans and unused targets count too, pictures are not checked."""
    if _TAG.search(token.content):
        yield "UNSAFE_HTML"
    bare = _IGNORED_IN_URLS.sub("", unescape(token.content.replace("\\", ""))).lower()
    if not safe_definitions or _UNSAFE_TARGET.search(bare):
        yield "UNSAFE_LINK"


def _is_comment(html: str) -> bool:
    """Return whether HTML is comments and white space alone, as browsers read it.

    They take `<!-->` and `<!--->` for whole comments, and `--!>` for an end (WHATWG HTML, 13.2.5.43 to 52).
    """
    html = html.strip()
    position = 0
    while html.startswith("<!--", position) and not html.startswith(("<!-->", "<!--->"), position):
        end = html.find("-->", position + 4)
        if end < 0 or html.find("--!>", position, end) >= 0:
            return False
        position = end + 3
        while position < len(html) and html[position].isspace():
            position += 1
    return position == len(html)


def _is_safe(url: str) -> bool:
    bare = _IGNORED_IN_URLS.sub("", url).lower()
    scheme = _SCHEME.match(bare)
    return not scheme or scheme[1] not in _UNSAFE_SCHEMES or bool(_SAFE_DATA.match(bare))


def _picture_exists(target: str, known_images: Container[str]) -> bool:
    if target.lower().startswith(("http://", "https://", "//", "data:")):
        return True
    return bool(target) and (target in known_images or unquote(target) in known_images)
