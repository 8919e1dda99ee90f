"""Insert the pictures of a document into its text, named in its order, and the times of its steps.

Every format is rendered from the result, so a picture stands at the same place in all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from markdown_it.token import Token

from exports.renderers.rendered import RenderFailed
from exports.renderers.times import with_times
from exports.snapshot import Document, Picture
from instructions.block import Block
from instructions.blocks import (
    Outline,
    TopLevel,
    add_text,
    blocks_of,
    heading_text,
    read_outline,
    split_step_heading,
    strip_markers,
)
from instructions.parser import INLINE_NESTING, make_parser, parse_inline

_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
_PUNCTUATION = re.compile(r"([\\`*_\[\]<>&!~])")
# What ends a block of HTML that a text may leave open; pictures after an open block would not be shown.
_CLOSINGS = ("-->", "?>", "]]>", ">", "</script>", "</pre>", "</style>", "</textarea>")
_INLINE_PARSER = make_parser(nesting=INLINE_NESTING)
# Parsing takes time quadratic in the number of brackets; text with more of them is shown as it was typed.
_MAX_BRACKETS = 1000


@dataclass(frozen=True)
class PlacedPicture:
    """A picture with its name in the export, such as `images/01-step-1.png`; `alt` is never empty."""

    name: str
    picture: Picture
    alt: str


@dataclass(frozen=True)
class Composed:
    """Markdown without block markers; each of `pictures` is a paragraph of its own in it, in that order."""

    markdown: str
    outline: Outline
    pictures: tuple[PlacedPicture, ...]


def compose(document: Document) -> Composed:
    """Return the document's text with its pictures, and the times of its steps in their headings.

    Raise RenderFailed for a picture of an unknown type.
    """
    document = replace(document, markdown=with_times(document.markdown, document.spans))
    placed = _place(document)
    markdown = document.markdown
    for offset, run in reversed(_runs(placed)):
        links = "".join(f"\n\n{_link(picture)}\n" for picture in run)
        markdown = markdown[:offset] + links + markdown[offset:]
    return _with_visible_pictures(strip_markers(markdown), tuple(picture for _, picture in placed))


def is_blank(text: str) -> bool:
    """Return whether the text has only spaces, controls and format characters."""
    return not any(character.isprintable() and not character.isspace() for character in text)


def inline_tokens(token: Token, outline: Outline) -> list[Token]:
    """Return the tokens in a heading, paragraph or table cell; `token` is its block-level `inline` token."""
    if token.content.count("[") > _MAX_BRACKETS:
        return [Token("text", "", 0, content=" ".join(token.content.split("\n")))]
    return parse_inline(token, _INLINE_PARSER, outline.environment)


def lone_picture(block: TopLevel, outline: Outline) -> Token | None:
    """Return the image token of a block that is one picture and nothing else; None for other blocks."""
    if block.kind != "image":
        return None
    children = inline_tokens(block.tokens[1], outline)
    return children[0] if len(children) == 1 else None


def _place(document: Document) -> list[tuple[int, PlacedPicture]]:
    """Return each picture with its offset in the document's markdown, in the order of the text."""
    outline = read_outline(document.markdown)
    blocks = blocks_of(outline, document.markdown)
    by_id = {block.block_id: block for block in blocks if block.block_id}
    steps = [block for block in blocks if block.kind == "step"]
    end = len(document.markdown)
    found = []
    for picture in document.pictures:
        block = by_id.get(picture.block_id or "")
        found.append((block.end_offset if block else end, block, picture))
    # The sort is stable: pictures of one place keep their order. Those without a block come last.
    found.sort(key=lambda entry: (entry[0], entry[1] is None))
    width = max(2, len(str(len(found))))
    placed = []
    for number, (offset, block, picture) in enumerate(found, start=1):
        step = _step_around(block, steps)
        kind = f"step-{_step_number(step, document.markdown)}" if step else "picture"
        stem = f"{number:0{width}}-{kind}"
        described = (picture.alt, (step and step.title) or "", document.title, "Picture")
        alt = next(text for text in described if not is_blank(text))
        placed.append((offset, _named(picture, stem=stem, alt=alt)))
    return placed


def _step_around(block: Block | None, steps: list[Block]) -> Block | None:
    """Return the innermost step that the block belongs to."""
    if block:
        for step in reversed(steps):
            if step.start_offset <= block.start_offset < step.end_offset:
                return step
    return None


def _step_number(step: Block, markdown: str) -> int:
    """Return the number in the heading as the step reads by itself; names of files depend on it."""
    heading = heading_text(markdown[step.start_offset : step.end_offset])
    return split_step_heading(heading)[0] or 0


def _named(picture: Picture, *, stem: str, alt: str) -> PlacedPicture:
    if picture.mime_type not in _EXTENSIONS:
        raise RenderFailed("A picture is neither PNG nor JPEG nor WebP.")
    name = f"images/{stem}.{_EXTENSIONS[picture.mime_type]}"
    return PlacedPicture(name, picture, " ".join(alt.split()))


def _runs(placed: list[tuple[int, PlacedPicture]]) -> list[tuple[int, list[PlacedPicture]]]:
    runs: dict[int, list[PlacedPicture]] = {}
    for offset, picture in placed:
        runs.setdefault(offset, []).append(picture)
    return list(runs.items())


def as_plain_text(text: str) -> str:
    """Return a text as Markdown that shows it as it is, on one line."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))


def _link(placed: PlacedPicture) -> str:
    described = as_plain_text(placed.alt)
    return f"![{described}]({placed.name})"


def _with_visible_pictures(markdown: str, pictures: tuple[PlacedPicture, ...]) -> Composed:
    """Return the text with an open code fence or HTML block closed when it hides the pictures after it.

    What cannot be closed (lists nested deeper than the parser reads) gets its pictures before it.
    """
    composed = _read(markdown, pictures)
    hidden = _hidden(composed)
    if not hidden:
        return composed
    links = [f"\n\n{_link(placed)}\n" for placed in hidden]
    cut = markdown.rfind(links[0])
    last = composed.outline.blocks[-1]
    tries = [
        f"{markdown[:cut]}\n{closing}{markdown[cut:]}" for closing in (last.tokens[0].markup, *_CLOSINGS)
    ]
    for link in links:
        before, _, after = markdown.rpartition(link)
        markdown = before + after
    lines = markdown.split("\n")
    tries.append("\n".join([*lines[: last.first], "".join(links), *lines[last.first :]]))
    for tried in tries:
        composed = _read(tried, pictures)
        if not _hidden(composed):
            return composed
    raise RenderFailed(
        "A picture stands inside a block that does not end. Close the code fence, HTML, quotation or list before it."
    )


def _read(markdown: str, pictures: tuple[PlacedPicture, ...]) -> Composed:
    """Return the text with its outline, in which the paragraphs that were inserted are pictures.

    The reader of outlines reads a limited number of marks, for pictures of unknown text too. The inserted ones are
    known, so they are found behind any number of marks, and headings are read as they are without pictures.
    """
    links = {_link(placed) for placed in pictures}
    outline = read_outline(markdown, with_text=False)
    for block in outline.blocks:
        if block.kind == "paragraph" and block.tokens[1].content in links:
            block.kind = "image"
    add_text(outline)
    return Composed(markdown, outline, pictures)


def _hidden(composed: Composed) -> list[PlacedPicture]:
    """Return the pictures that are not paragraphs of their own in the parsed text."""
    images = [lone_picture(block, composed.outline) for block in composed.outline.blocks]
    shown = {image.attrs["src"] for image in images if image}
    return [placed for placed in composed.pictures if placed.name not in shown]
