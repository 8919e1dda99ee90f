"""Choose how large the pictures of a guide are shown, so that its pages fill.

A step stays on one page with its picture, so a page ends where the next step has no room. Pictures are shown as large
as the page is wide, and all of one page somewhat smaller where one more step fits then. Pages are planned from the
last to the first, by the least sum of what is left empty and what is taken from pictures (as the lines of a paragraph
are by D. E. Knuth and M. F. Plass, "Breaking paragraphs into lines", 1981). Lengths are points (1/72 inch).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from exports.renderers.heights import LINE, PICTURE_SPACES, TEXT_WIDTH, height_of, stacked
from exports.renderers.tree import Heading, Node, Paragraph, PictureAt, Step, plain, text_of

# Between the margins of the page.
PAGE_HEIGHTS = {"A4": 727.9, "LETTER": 678.0}
_POINTS_PER_PIXEL = 0.75
_MAX_LANDSCAPE_HEIGHT = 264.0
_MAX_PORTRAIT_HEIGHT = 320.0
# A picture of 1,920 pixels by 1,080 is 468 points wide, and never narrower than 290: its letters of 14 pixels are then
# 2.1 points high, which is read on a screen, and on paper with effort.
_SCALES = tuple(1.0 - 0.02 * step for step in range(20))
# Text that is short enough to be moved to the next page together with its picture: both have room on one page.
_MAX_KEPT_CHARACTERS, _MAX_KEPT_HEIGHT = 900, 300.0
# What estimates may be wrong by on a page.
_SLACK = 9.0
# The last page may be empty in its second half; a step that stands alone there looks lost.
_MIN_LAST_FILL = 0.5
_LOST = 0.15
_SHRUNK = 0.8
# Planning takes time with the chunks; so long a text has its pictures at one size.
_MAX_CHUNKS = 3_000
_MEDIUM = 0.85

Sizes = Mapping[str, tuple[int, int]]


@dataclass
class _Chunk:
    """What stands on one page, with its height at each of `_SCALES`; `pictures` are names. `gap` is the space above
    it, unless a page begins there."""

    gap: float
    below: float
    heights: list[float]
    pictures: list[str] = field(default_factory=list)


def full_size(width: int, height: int) -> tuple[float, float]:
    """Return the greatest size of a picture of so many pixels: 96 an inch, the text's width, and a maximum height."""
    max_height = _MAX_PORTRAIT_HEIGHT if height > width else _MAX_LANDSCAPE_HEIGHT
    scale = min(_POINTS_PER_PIXEL, TEXT_WIDTH / width, max_height / height)
    return width * scale, height * scale


def plan_sizes(
    nodes: Sequence[Node], kept: set[int], sizes: Sizes, *, page_height: float, opening: float
) -> dict[str, tuple[float, float]]:
    """Return the width and height of each picture among the nodes, by name.

    `kept` are the indices of nodes that stay on one page with the next one, `sizes` those of the pictures in pixels,
    `opening` is the height of what stands on the first page above the nodes.
    """
    if not any(isinstance(node, PictureAt) for node in nodes):
        return {}
    chunks = list(_chunks(nodes, kept, sizes))
    scales = _plan(chunks, page_height - _SLACK, opening)
    found = {}
    for chunk, scale in zip(chunks, scales, strict=True):
        for name in chunk.pictures:
            width, height = full_size(*sizes[name])
            found[name] = (round(width * scale, 2), round(height * scale, 2))
    return found


def kept_with_next(nodes: Sequence[Node]) -> set[int]:
    """Return the indices of text before a picture and of paragraphs that end in a colon.

    Of a long text it is the last of it, so that a picture does not stand without words.
    """
    kept: set[int] = set()
    begin = 0
    for index, node in enumerate(nodes):
        match node:
            case Heading() | Step():
                begin = index + 1
            case PictureAt():
                kept.update(_kept_with_picture(nodes, begin, index))
                begin = index + 1
            case Paragraph(children) if plain(children).rstrip().endswith((":", "：")):
                kept.add(index)
    return kept - {len(nodes) - 1}


def _kept_with_picture(nodes: Sequence[Node], begin: int, picture: int) -> range:
    """Return the indices of what stays with a picture, of the nodes from `begin` on before it."""
    characters, first = 0, picture
    while first > begin:
        characters += len(text_of(nodes[first - 1]))
        height = stacked(nodes[first - 1 : picture], TEXT_WIDTH)
        if characters > _MAX_KEPT_CHARACTERS or height > _MAX_KEPT_HEIGHT:
            break
        first -= 1
    return range(first, picture)


def _chunks(nodes: Sequence[Node], kept: set[int], sizes: Sizes) -> Iterator[_Chunk]:
    """Yield the nodes in chunks; text that may go on on the next page is cut into pairs of lines."""
    chunk: _Chunk | None = None
    below = 0.0
    for index, node in enumerate(nodes):
        if isinstance(node, PictureAt):
            full = full_size(*sizes[node.placed.name])[1]
            (above, after), own = PICTURE_SPACES, [full * scale for scale in _SCALES]
        else:
            above, height, after = height_of(node)
            own = [height] * len(_SCALES)
        if chunk is None:
            chunk = _Chunk(max(below, above), after, own)
        else:
            gap = max(chunk.below, above)
            chunk.heights = [sum(pair) + gap for pair in zip(chunk.heights, own, strict=True)]
            chunk.below = after
        if isinstance(node, PictureAt):
            chunk.pictures.append(node.placed.name)
        is_bound = isinstance(node, Heading | Step) or index in kept
        if not is_bound or index == len(nodes) - 1:
            below = chunk.below
            yield from _cut(chunk)
            chunk = None


def _cut(chunk: _Chunk) -> Iterator[_Chunk]:
    """Yield a chunk, cut into pairs of lines from its fourth line on when it has no picture."""
    rest = chunk.heights[0] - 4 * LINE
    if chunk.pictures or rest < 2 * LINE:
        yield chunk
        return
    count = int(rest / (2 * LINE))
    part = rest / count
    yield _Chunk(chunk.gap, 0.0, [4 * LINE] * len(_SCALES))
    for at in range(count):
        yield _Chunk(0.0, chunk.below if at == count - 1 else 0.0, [part] * len(_SCALES))


def _plan(chunks: Sequence[_Chunk], room: float, opening: float) -> list[float]:
    """Return the scale of each chunk's pictures."""
    if len(chunks) > _MAX_CHUNKS:
        return [_MEDIUM] * len(chunks)
    count = len(chunks)
    costs, ends, chosen = [0.0] * (count + 1), [0] * (count + 1), [0] * (count + 1)
    for begin in range(count - 1, -1, -1):
        start = opening + chunks[0].gap if begin == 0 and opening else 0.0
        pages = _pages(chunks, begin, room, start, chosen)
        costs[begin], ends[begin], chosen[begin] = min(
            (cost + costs[end], end, scale) for cost, end, scale in pages
        )
    scales: list[float] = []
    begin = 0
    while begin < count:
        scales += [_SCALES[chosen[begin]]] * (ends[begin] - begin)
        begin = ends[begin]
    return scales


def _pages(
    chunks: Sequence[_Chunk], begin: int, room: float, start: float, chosen: Sequence[int]
) -> Iterator[tuple[float, int, int]]:
    """Yield (cost, end, scale) of each page that may begin with a chunk and end before another.

    It may end only where the next chunk, at the size that is chosen for it, has no room: nothing but that ends a page.
    """
    heights = [start] * len(_SCALES)
    pictures = 0
    for end in range(begin + 1, len(chunks) + 1):
        chunk = chunks[end - 1]
        gap = chunk.gap if end - 1 > begin else 0.0
        heights = [total + gap + own for total, own in zip(heights, chunk.heights, strict=True)]
        pictures += len(chunk.pictures)
        scale = next((at for at, height in enumerate(heights) if height <= room), None)
        if scale is None:
            if (
                end == begin + 1
            ):  # higher than a page, or than what the title leaves, and then on the next one
                yield 1.0, end, 0 if start else len(_SCALES) - 1
            return
        if not pictures:
            scale = 0
        is_last = end == len(chunks)
        if not is_last and heights[scale] + chunks[end].gap + chunks[end].heights[chosen[end]] <= room:
            continue
        yield _cost(heights[scale] / room, _SCALES[scale], is_last=is_last, begin=begin), end, scale


def _cost(fill: float, scale: float, *, is_last: bool, begin: int) -> float:
    shrunk = _SHRUNK * (1.0 - scale) ** 2
    if is_last:
        return shrunk + (_LOST if begin and fill < _MIN_LAST_FILL else 0.0)
    return shrunk + (1.0 - fill) ** 2
