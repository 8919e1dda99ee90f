"""Read the composed markdown of a document into the tree that layouts are made from.

HTML is shown literally and comments are left out; of pictures only the document's own are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from exports.renderers.compose import Composed, PlacedPicture, compose, inline_tokens, is_blank, lone_picture
from exports.renderers.tree import (
    Break,
    Code,
    CodeSpan,
    Guide,
    Heading,
    Inline,
    Link,
    ListOf,
    Node,
    Paragraph,
    PictureAt,
    Quote,
    Rule,
    Step,
    Styled,
    Table,
    Text,
    plain,
)
from exports.snapshot import Document
from instructions.blocks import Outline, TopLevel, split_step_heading

# Deeper nesting is flattened: layout engines limit the depth.
_MAX_BLOCK_DEPTH = 8
_MAX_INLINE_DEPTH = 8
_LINK = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x1f]{1,2000}", re.IGNORECASE)
_COMMENTS = re.compile(r"<!--.*?-->", re.DOTALL)
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_][a-z]{4})?(?:[-_]([a-z]{2}))?(?![a-z0-9])", re.IGNORECASE)


def read_guide(document: Document) -> Guide:
    """Return the document as a tree, composed once; `pictures` are the placed ones.

    A heading of level 1 that opens the text becomes the title and is no node; else the title is the
    document's. Raise RenderFailed for a picture of an unknown type.
    """
    return guide_of(document, compose(document))


def guide_of(document: Document, composed: Composed) -> Guide:
    """Return a document that is composed already as a tree; see `read_guide`."""
    outline = composed.outline
    builder = _Builder(outline, {placed.name: placed for placed in composed.pictures})
    blocks = outline.blocks
    title = document.title
    opening = blocks[0].text if blocks and blocks[0].level == 1 else None
    if opening and not is_blank(opening):
        title, blocks = opening, blocks[1:]
    nodes = [node for block in blocks for node in builder.top_level(block)]
    tag = _LANGUAGE.match(document.language)
    return Guide(
        title="Guide" if is_blank(title) else " ".join(title.split()),
        language=tag[1].lower() if tag else "en",
        region=(tag[2] or "").upper() if tag else "",
        nodes=tuple(_without_skipped_levels(nodes)),
        pictures=composed.pictures,
        length_ms=document.length_ms,
        recorded_on=document.recorded_on,
        uploaded_on=document.uploaded_on,
    )


class _Builder:
    def __init__(self, outline: Outline, pictures: dict[str, PlacedPicture]) -> None:
        self._outline = outline
        self._pictures = pictures

    def top_level(self, block: TopLevel) -> list[Node]:
        image = lone_picture(block, self._outline)
        if image and (placed := self._pictures.get(str(image.attrs["src"]))):
            return [PictureAt(placed)]
        if block.is_step:
            return [self._step(block)]
        return self._blocks(SyntaxTreeNode(block.tokens).children, 0)

    def _step(self, block: TopLevel) -> Step:
        children = self._inline_of(SyntaxTreeNode(block.tokens).children[0].children[0])
        text = plain(children).strip()
        number, title, start_ms, end_ms = split_step_heading(text)
        if number is None:
            # There is HTML before the number, which is text here and is none in `block.text`.
            number, title, start_ms, end_ms = split_step_heading(block.text or "")
            return Step(block.level or 1, number or 0, (Text(title),), start_ms, end_ms)
        title_end = len(text[: text.rindex("(")].rstrip()) if start_ms is not None else len(text)
        shown = _cut(children, title_end - len(title), title_end)
        return Step(block.level or 1, number, shown, start_ms, end_ms)

    def _blocks(self, nodes: Sequence[SyntaxTreeNode], depth: int) -> list[Node]:
        return [made for node in nodes for made in self._block(node, depth)]

    def _block(self, node: SyntaxTreeNode, depth: int) -> list[Node]:
        match node.type:
            case "heading":
                return self._heading(node, depth)
            case "paragraph":
                return [Paragraph(self._inline_of(node.children[0]))]
            case "bullet_list" | "ordered_list":
                return self._list(node, depth)
            case "blockquote":
                inner = self._blocks(node.children, depth + 1)
                return [Quote(tuple(inner))] if depth < _MAX_BLOCK_DEPTH else inner
            case "fence" | "code_block":
                language = node.info.split()[0] if node.info.split() else ""
                return [Code(node.content.removesuffix("\n"), language)]
            case "table":
                return [self._table(node)]
            case "hr":
                return [Rule()]
        return _literal(node.content)

    def _heading(self, node: SyntaxTreeNode, depth: int) -> list[Node]:
        children = self._inline_of(node.children[0])
        if is_blank(plain(children)):
            return []
        # A heading in a list or a quotation does not belong to the document's outline.
        return [Paragraph((Styled("strong", children),)) if depth else Heading(int(node.tag[1]), children)]

    def _list(self, node: SyntaxTreeNode, depth: int) -> list[Node]:
        items = [self._blocks(item.children, depth + 1) for item in node.children]
        if depth >= _MAX_BLOCK_DEPTH:
            return [child for item in items for child in item]
        start = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
        paragraphs = [child for item in node.children for child in item.children if child.type == "paragraph"]
        is_tight = all(paragraph.hidden for paragraph in paragraphs)
        return [ListOf(start, is_tight, tuple(tuple(item) for item in items))]

    def _table(self, node: SyntaxTreeNode) -> Table:
        rows = [row.children for part in node.children for row in part.children]
        alignments = tuple(str(cell.attrs.get("style", "")).removeprefix("text-align:") for cell in rows[0])
        cells = [tuple(self._inline_of(cell.children[0]) for cell in row) for row in rows]
        return Table(alignments, cells[0], tuple(cells[1:]))

    def _inline_of(self, node: SyntaxTreeNode) -> tuple[Inline, ...]:
        assert node.token is not None  # tells mypy: only the root has none  # nosec B101
        return _inline(inline_tokens(node.token, self._outline))


def _inline(tokens: Iterable[Token]) -> tuple[Inline, ...]:
    """Return nodes of tokens, without recursion: emphasis may be nested thousands of levels deep."""
    open_tokens: list[Token] = []
    levels: list[list[Inline]] = [[]]
    for token in tokens:
        if token.nesting > 0:
            open_tokens.append(token)
            levels.append([])
        elif token.nesting < 0:
            inner = levels.pop()
            levels[-1] += _wrapped(open_tokens.pop(), inner, depth=len(levels))
        else:
            levels[-1] += _leaf(token)
    return _merged(levels[0])


def _wrapped(opening: Token, inner: Sequence[Inline], *, depth: int) -> Sequence[Inline]:
    if depth > _MAX_INLINE_DEPTH:
        return inner
    if opening.type == "link_open":
        return _linked(str(opening.attrs.get("href", "")), inner)
    style = {"strong_open": "strong", "em_open": "emph", "s_open": "strike"}[opening.type]
    return [Styled(style, _merged(inner))]


def _leaf(token: Token) -> Sequence[Inline]:
    match token.type:
        case "code_inline":
            return [CodeSpan(token.content)]
        case "softbreak" | "hardbreak":
            return [Break(token.type == "hardbreak")]
        case "image":
            described = plain(_inline(token.children or []))
            return _linked(str(token.attrs.get("src", "")), [Text(described)] if described else [])
        case "html_inline":
            return [Text(_COMMENTS.sub("", token.content))]
    return [Text(token.content)]


def _linked(url: str, children: Sequence[Inline]) -> Sequence[Inline]:
    if not _LINK.fullmatch(url):
        return children
    return [Link(url, _merged(_without_links(children)) or (Text(url),))]


def _without_links(children: Iterable[Inline]) -> Iterator[Inline]:
    for child in children:
        match child:
            case Link(_, inner):
                yield from _without_links(inner)
            case Styled(style, inner):
                yield Styled(style, tuple(_without_links(inner)))
            case _:
                yield child


def _literal(html: str) -> list[Node]:
    shown = _COMMENTS.sub("", html).strip()
    if not shown:
        return []
    lines: list[Inline] = []
    for line in shown.split("\n"):
        lines += [Break(True), Text(line.strip())] if lines else [Text(line.strip())]
    return [Paragraph(tuple(lines))]


def _merged(children: Iterable[Inline]) -> tuple[Inline, ...]:
    """Return the nodes with neighbouring texts joined and empty ones left out."""
    merged: list[Inline] = []
    for child in children:
        if isinstance(child, Text):
            if not child.text:
                continue
            if merged and isinstance(merged[-1], Text):
                merged[-1] = Text(merged[-1].text + child.text)
                continue
        merged.append(child)
    return tuple(merged)


def _cut(children: Iterable[Inline], begin: int, end: int) -> tuple[Inline, ...]:
    """Return the part of the inline nodes that shows the characters `begin` to `end` (exclusive)."""
    kept: list[Inline] = []
    at = 0
    for child in children:
        length = len(plain([child]))
        inside = slice(max(begin - at, 0), max(end - at, 0))
        if at < end and at + length > begin:
            match child:
                case Text(text) | CodeSpan(text):
                    kept.append(replace(child, text=text[inside]))
                case Styled(_, inner) | Link(_, inner):
                    kept.append(replace(child, children=_cut(inner, inside.start, inside.stop)))
                case _:
                    kept.append(child)
        at += length
    return tuple(kept)


def _without_skipped_levels(nodes: Sequence[Node]) -> list[Node]:
    """Return the nodes with gaps between heading levels closed, as PDF/UA-1 and outlines allow none."""
    open_levels: list[int] = []
    levelled: list[Node] = []
    for node in nodes:
        if isinstance(node, Heading | Step):
            while open_levels and open_levels[-1] >= node.level:
                open_levels.pop()
            open_levels.append(node.level)
            node = replace(node, level=len(open_levels))
        levelled.append(node)
    return levelled
