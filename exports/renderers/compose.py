"""Puts the pictures of a document into its text, each at its place and under a tidy name.

Every format starts from what comes out here, so a picture stands at the same place in all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from markdown_it.token import Token

from exports.renderers.rendered import RenderFailed
from exports.snapshot import Document, Picture
from instructions.blocks import (
    INLINE_NESTING,
    Block,
    Outline,
    TopLevel,
    make_parser,
    parse_blocks,
    parse_inline,
    read_outline,
    split_step_heading,
    strip_markers,
)

_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
_PUNCTUATION = re.compile(r"([\\`*_\[\]<>&!~])")
# What may stand open at the end of a text and would swallow the pictures after it.
_CLOSINGS = ("-->", "?>", "]]>", ">", "</script>", "</pre>", "</style>", "</textarea>")
_INLINE_PARSER = make_parser(nesting=INLINE_NESTING)
# Brackets cost their number squared; a text with more of them than this comes out as it was typed.
_MOST_BRACKETS = 1000


@dataclass(frozen=True)
class PlacedPicture:
    """A picture with its name in the export, such as `images/01-step-1.png`, never without description."""

    name: str
    picture: Picture
    alt: str


@dataclass(frozen=True)
class Composed:
    """Markdown without markers; each of `pictures` stands in it as a paragraph of its own, in that order."""

    markdown: str
    pictures: tuple[PlacedPicture, ...]


def compose(document: Document) -> Composed:
    """Raises RenderFailed for a picture of a type that has no place in an export."""
    placed = _place(document)
    pictures = tuple(picture for _, picture in placed)
    markdown = document.markdown
    for offset, run in reversed(_runs(placed)):
        links = "".join(f"\n\n{_link(picture)}\n" for picture in run)
        markdown = markdown[:offset] + links + markdown[offset:]
    return Composed(_with_everything_closed(strip_markers(markdown), pictures), pictures)


def is_blank(text: str) -> bool:
    """Whether a reader sees nothing of it: spaces, controls and format characters only."""
    return not any(character.isprintable() and not character.isspace() for character in text)


def inline_tokens(token: Token, outline: Outline) -> list[Token]:
    """What stands in a heading, paragraph or cell; `token` is its block-level `inline` token."""
    if token.content.count("[") > _MOST_BRACKETS:
        return [Token("text", "", 0, content=" ".join(token.content.split("\n")))]
    return parse_inline(token, _INLINE_PARSER, outline.environment)


def lone_picture(block: TopLevel, outline: Outline) -> Token | None:
    """The image token of a block that is one picture and nothing else."""
    if block.kind != "image":
        return None
    children = inline_tokens(block.tokens[1], outline)
    return children[0] if len(children) == 1 else None


def _place(document: Document) -> list[tuple[int, PlacedPicture]]:
    """Offset in the document's markdown and picture, in the order of the text."""
    blocks = parse_blocks(document.markdown)
    by_id = {block.block_id: block for block in blocks if block.block_id}
    steps = _numbered_steps(document.markdown, blocks)
    end = len(document.markdown)
    found = []
    for picture in document.pictures:
        block = by_id.get(picture.block_id or "")
        found.append((block.end_offset if block else end, block, picture))
    # Stable: pictures of one place keep their order. Those without a block stand behind the last block's.
    found.sort(key=lambda entry: (entry[0], entry[1] is None))
    width = max(2, len(str(len(found))))
    placed = []
    for number, (offset, block, picture) in enumerate(found, start=1):
        step_number, step_title = _step_around(block, steps)
        stem = f"{number:0{width}}-{f'step-{step_number}' if step_number else 'picture'}"
        described = (picture.alt, step_title, document.title, "Picture")
        alt = next(text for text in described if not is_blank(text))
        placed.append((offset, _named(picture, stem=stem, alt=alt)))
    return placed


def _step_around(block: Block | None, steps: list[tuple[int, Block]]) -> tuple[int | None, str]:
    """Number and title of the innermost step that the block belongs to."""
    if block:
        for number, step in reversed(steps):
            if step.start_offset <= block.start_offset < step.end_offset:
                return number, step.title or ""
    return None, ""


def _numbered_steps(markdown: str, blocks: list[Block]) -> list[tuple[int, Block]]:
    headings = [top.text or "" for top in read_outline(markdown).blocks if top.is_step]
    steps = [block for block in blocks if block.kind == "step"]
    return [(split_step_heading(text)[0] or 0, step) for text, step in zip(headings, steps, strict=True)]


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


def _link(placed: PlacedPicture) -> str:
    described = _PUNCTUATION.sub(r"\\\1", placed.alt)
    return f"![{described}]({placed.name})"


def _with_everything_closed(markdown: str, pictures: tuple[PlacedPicture, ...]) -> str:
    """Closes a code fence or a piece of HTML left open, should it have swallowed the pictures at the end."""
    hidden = _hidden(markdown, pictures)
    if not hidden:
        return markdown
    cut = markdown.rfind(f"\n\n{_link(hidden[0])}\n")
    fence = read_outline(markdown).blocks[-1].tokens[0].markup
    for closing in (fence, *_CLOSINGS):
        closed = f"{markdown[:cut]}\n{closing}{markdown[cut:]}"
        if closing and not _hidden(closed, pictures):
            return closed
    raise RenderFailed("A picture stands inside a block that does not end.")


def _hidden(markdown: str, pictures: tuple[PlacedPicture, ...]) -> list[PlacedPicture]:
    """The pictures that a reader of the text would not see."""
    outline = read_outline(markdown)
    images = [lone_picture(block, outline) for block in outline.blocks]
    shown = {image.attrs["src"] for image in images if image}
    return [placed for placed in pictures if placed.name not in shown]
