"""Pictures in the PDF: their place, their size, and which are shown."""

from __future__ import annotations

import hashlib
import re

import pypdfium2
import pytest

from exports.renderers import RenderFailed
from exports.renderers.pdf import PdfRenderer
from tests.exports.documents import GUIDE, PNG, block_id, drawing, encoded, make_document, with_markers
from tests.exports.pdf_reading import images_on_pages, read, rendered

pytestmark = pytest.mark.slow


def test_pages_are_numbered_and_pictures_stand_in_place() -> None:
    text = with_markers(GUIDE)
    places = [block_id(text, title) for title in ("Open the Invoices page", "Click New", "Press Send")]
    pictures = [(place, encoded(drawing(n, size=(1280, 720)))) for n, place in enumerate(places)]
    content = rendered(text, *pictures)
    pages = [page.extract_text() for page in read(content).pages]
    assert all(f"Page {n} / {len(pages)}" in page for n, page in enumerate(pages, start=1))
    steps_on = [len(re.findall(r"0:04–|0:12–|0:18–", page)) for page in pages]
    assert images_on_pages(content) == steps_on and sum(steps_on) == 3 and len(pages) == 2


def test_a_picture_in_the_text_is_shown_only_when_it_is_the_documents() -> None:
    content = rendered("# T\n\n![x](images/99-picture.png)\n\n![y](../../secret.png)", (None, PNG))
    assert images_on_pages(content) == [1]


def test_a_step_moves_to_the_next_page_together_with_its_picture() -> None:
    filler = "".join(f"Line {n}.\n\n" for n in range(28))
    text = with_markers(f"# T\n\n{filler}### Step 1: Move (0:01)\n\nShort text.\n\n- a list\n")
    content = rendered(text, (block_id(text, "Move"), encoded(drawing(1, size=(1280, 720)))))
    first, second = read(content).pages
    assert "Line 27." in first.extract_text() and "Move" not in first.extract_text()
    assert "Move" in second.extract_text() and "a list" in second.extract_text()
    assert images_on_pages(content) == [0, 1]


@pytest.mark.parametrize("size", [(3000, 20), (20, 3000), (1, 1), (1080, 2340), (1280, 720)])
def test_pictures_of_any_shape_fit_on_the_page(size: tuple[int, int]) -> None:
    content = rendered("# T\n\n### Step 1: a", (None, encoded(drawing(1, size=size))))
    page = pypdfium2.PdfDocument(content)[0]
    (left, bottom, right, top) = next(t.get_bounds() for t in page.get_objects(max_depth=9) if t.type == 3)
    assert 70 < left < right < 545 and 50 < bottom < top < 800
    assert (right - left) / (top - bottom) == pytest.approx(size[0] / size[1], rel=0.05)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_every_type_of_picture_is_embedded(format: str) -> None:
    assert images_on_pages(rendered("# T", (None, encoded(drawing(1), format)))) == [1]


def test_a_broken_picture_fails_with_a_sentence_for_the_user() -> None:
    broken = bytearray(PNG)
    broken[24:26] = b"\x07\x09"  # no such bit depth and colour type
    document, _ = make_document("# T", [(None, PNG)])
    stored = document.to_json()
    stored["pictures"][0]["sha256"] = hashlib.sha256(broken).hexdigest()
    with pytest.raises(RenderFailed, match=r"^The picture images/01-picture.png cannot be read.$"):
        PdfRenderer().render(type(document).from_json(stored), lambda _: bytes(broken))
