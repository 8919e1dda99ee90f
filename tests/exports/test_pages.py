"""How the steps of a guide fill the pages: pictures stay with their steps, and pages are not half empty."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from functools import lru_cache

import docx
import pypdfium2
import pytest

from exports.look import Look
from exports.renderers import RENDERERS
from exports.renderers.paging import PAGE_HEIGHTS, full_size
from exports.snapshot import Document, ReadPicture
from instructions.blocks import parse_blocks
from tests.exports.documents import drawing, encoded, make_document, with_markers
from tests.exports.pdf_reading import empty_shares, placed

pytestmark = pytest.mark.slow

WORDS = {
    "short": ["Click **Invoices** in the menu.\n"],
    "list": ["The list opens:\n\n- newest first,\n- paid ones in grey,\n- drafts at the end.\n"],
    "long": ["Type the name of the customer, then check the address that is found. " * 5 + "\n"],
}
WORDS["any"] = ["", *WORDS["short"], *WORDS["list"], *WORDS["long"]]
SHAPES = {
    "landscape": [(1920, 1080)],
    "portrait": [(1080, 2340)],
    "any": [(1920, 1080), (1080, 2340), (1280, 1024), (800, 600), (1500, 420)],
}
GUIDES = [
    (steps, words, shape, every, paper)
    for words, shape, every in [
        *[
            ("short", "landscape", 1),
            ("list", "landscape", 1),
            ("long", "landscape", 1),
            ("any", "landscape", 1),
        ],
        *[("any", "portrait", 1), ("any", "any", 1), ("any", "landscape", 2)],
    ]
    for steps, paper in [(3, "A4"), (5, "LETTER"), (9, "A4"), (14, "LETTER"), (30, "A4")]
]


@lru_cache
def picture(size: tuple[int, int]) -> bytes:
    return encoded(drawing(1, size=size))


def title(number: int) -> str:
    return f"Open the page {number} of all"


def make_guide(steps: int, words: str, shape: str, every: int, paper: str) -> tuple[Document, ReadPicture]:
    """Return a guide with a picture at every so many steps."""
    chance = random.Random(steps)
    parts = ["# Send an invoice\n\nWhat you need: an account.\n"]
    for number in range(1, steps + 1):
        if steps % 2 and number % 4 == 1:
            parts.append(f"## Part {number}\n")
        parts.append(f"### Step {number}: {title(number)} (0:01–0:02)\n\n{chance.choice(WORDS[words])}")
    text = with_markers("\n".join(parts))
    ids = [block.block_id for block in parse_blocks(text) if block.kind == "step"]
    pictures = [(block_id, picture(chance.choice(SHAPES[shape]))) for block_id in ids[::every]]
    return make_document(text, pictures, look=Look(paper))


@lru_cache
def as_pdf(steps: int, words: str, shape: str, every: int, paper: str) -> bytes:
    document, read = make_guide(steps, words, shape, every, paper)
    return RENDERERS["PDF"].render(document, read).content


@pytest.mark.parametrize(("steps", "words", "shape", "every", "paper"), GUIDES)
def test_a_picture_stands_on_the_page_of_its_step(
    steps: int, words: str, shape: str, every: int, paper: str
) -> None:
    content = as_pdf(steps, words, shape, every, paper)
    titles = [title(number) for number in range(1, steps + 1)]
    begin = 1 if steps > 5 else 0
    order = [what for page in placed(content, *titles)[begin:] for _, what in page]
    expected = [[name, "picture"] if at % every == 0 else [name] for at, name in enumerate(titles)]
    assert order == [what for step in expected for what in step]
    assert all(page[0][1] != "picture" for page in placed(content, *titles)[begin:] if page)


@pytest.mark.parametrize(("steps", "words", "shape", "every", "paper"), GUIDES)
def test_no_page_is_half_empty(steps: int, words: str, shape: str, every: int, paper: str) -> None:
    *inner, last = empty_shares(as_pdf(steps, words, shape, every, paper))
    assert max(inner, default=0) < 0.4 and last < 0.65


LINES = "".join(f"Line {number}.\n\n" for number in range(40))
ITEMS = "".join(f"- Line {number}.\n" for number in range(40))


@pytest.mark.parametrize("before", [LINES, ITEMS + "\nLine 40.\n", "> " + LINES.replace("\n\n", "\n>\n> ")])
def test_text_of_many_lines_begins_on_the_page_where_it_has_room(before: str) -> None:
    """Few characters can be many lines: they do not all go to the next page, and then from the picture."""
    text = with_markers(f"# T\n\n### Step 1: Move (0:01)\n\n{before}")
    (step,) = [block.block_id for block in parse_blocks(text) if block.kind == "step"]
    document, read = make_document(text, [(step, picture((1920, 1080)))])
    first, *_ = placed(RENDERERS["PDF"].render(document, read).content, "Move", "Line 0.", "Line 20.")
    assert [what for _, what in first] == ["Move", "Line 0.", "Line 20."]


def test_a_picture_below_a_long_text_stands_with_the_last_of_it() -> None:
    for count in range(24, 42):
        lines = "A line.\n\n" * count
        text = with_markers(f"# T\n\n### Step 1: Move (0:01)\n\n{lines}The last one.\n")
        (step,) = [block.block_id for block in parse_blocks(text) if block.kind == "step"]
        document, read = make_document(text, [(step, picture((1920, 1080)))])
        *_, last = placed(RENDERERS["PDF"].render(document, read).content, "The last one.")
        assert [what for _, what in last] == ["The last one.", "picture"], count


def test_pages_of_pictures_are_full_on_the_whole() -> None:
    shares = []
    for guide in GUIDES:
        begin = 1 if guide[0] > 5 else 0
        shares += empty_shares(as_pdf(*guide))[begin:-1]
    assert sum(shares) / len(shares) < 0.1


@pytest.mark.parametrize(("steps", "words", "shape", "every", "paper"), GUIDES[::4])
def test_word_shows_pictures_as_large_as_the_pdf(
    steps: int, words: str, shape: str, every: int, paper: str
) -> None:
    document, read = make_guide(steps, words, shape, every, paper)
    word = docx.Document(io.BytesIO(RENDERERS["DOCX"].render(document, read).content))
    in_word = [(each.width.pt, each.height.pt) for each in word.inline_shapes]
    in_pdf = list(sizes_in_pdf(as_pdf(steps, words, shape, every, paper)))
    assert [pytest.approx(size, abs=1.0) for size in in_word] == in_pdf


def sizes_in_pdf(content: bytes) -> Iterator[tuple[float, float]]:
    for page in pypdfium2.PdfDocument(content):
        bounds = [thing.get_bounds() for thing in page.get_objects(max_depth=9) if thing.type == 3]
        for left, bottom, right, top in sorted(bounds, key=lambda found: -found[3]):
            yield right - left, top - bottom


@pytest.mark.parametrize(("steps", "words", "shape", "every", "paper"), GUIDES[::3])
def test_a_picture_is_never_too_small_to_be_read(
    steps: int, words: str, shape: str, every: int, paper: str
) -> None:
    document, _ = make_guide(steps, words, shape, every, paper)
    shown = sizes_in_pdf(as_pdf(steps, words, shape, every, paper))
    for found, (width, height) in zip(document.pictures, shown, strict=True):
        full_width, full_height = full_size(found.width, found.height)
        assert 0.61 * full_width < width < full_width + 1.0
        assert width / height == pytest.approx(found.width / found.height, rel=0.02)
        assert height < full_height + 1.0 < PAGE_HEIGHTS[paper] / 2
