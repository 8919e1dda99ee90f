"""Pages of guides in Chromium: nothing stands beyond the edge of a screen, items stand beside their markers, and long
steps begin where there is room on paper."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader

from tests.exports.documents import drawing, encoded
from tests.exports.html_reading import result
from tests.web.browser import NEEDS_CHROMIUM, chromium

pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM]
LONG = "Donaudampfschifffahrtsgesellschaft" * 10
GUIDES = {
    "long words": f"# {LONG}\n\n## {LONG}\n\n### Step 1: {LONG} (0:01–0:02)\n\n{LONG}\n\n- {LONG}\n\n> {LONG}\n\n"
    f"`{LONG}`\n\n<https://example.com/{LONG}>\n",
    "long lines": f"# T\n\n### Step 1: a\n\n```\n{'word ' * 200}\n```\n\n- a\n\n  > ```\n  > {LONG}\n  > ```\n",
    "wide tables": f"# T\n\n## A\n\n|{'a|' * 30}\n|{'-|' * 30}\n|{'word |' * 30}\n\n> | {LONG} |\n> | - |\n> | b |\n",
    "deep lists": "# T\n\n" + "".join(f"{'  ' * depth}- word {LONG}\n" for depth in range(8)),
}
# The elements that reach beyond the screen, but for those within an element that can be scrolled.
BEYOND = """() => {
    const scrolls = element => ["auto", "scroll", "hidden"].includes(getComputedStyle(element).overflowX);
    const held = element => element !== document.body && (scrolls(element) || held(element.parentElement));
    return [...document.querySelectorAll("body *")].filter(element => {
        const box = element.getBoundingClientRect();
        return box.width && (box.right > innerWidth + 1 || box.left < -1) && !held(element.parentElement);
    }).map(element => element.outerHTML.slice(0, 60));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("name", GUIDES)
def test_a_page_is_as_wide_as_the_screen(browser: Browser, tmp_path: Path, name: str, width: int) -> None:
    guide = tmp_path / "guide.html"
    guide.write_bytes(result(GUIDES[name], (None, encoded(drawing(1, size=(1920, 1080))))).content)
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(guide.as_uri())
    assert page.evaluate(BEYOND) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") == width
    page.close()


STEPS = {
    "long": "".join(f"Line {number}.\n\n" for number in range(60)),
    "table": "| Line |\n| - |\n" + "".join(f"| Line {number}. |\n" for number in range(60)),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_of_more_than_a_page_begins_below_the_title_on_paper(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    guide = tmp_path / "guide.html"
    markdown = f"# T\n\n### Step 1: a\n\n{STEPS[name]}\n\n### Step 2: b\n\nShort.\n"
    guide.write_bytes(result(markdown, (None, encoded(drawing(1)))).content)
    page = browser.new_page()
    page.goto(guide.as_uri())
    first, *_ = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages
    assert "Line 0." in first.extract_text() and "Line 10." in first.extract_text()
    page.close()


MIXED = "# T\n\n- English\n- עברית\n\n1. שלום עולם\n2. English\n"


def test_an_item_stands_beside_its_marker_in_either_direction(browser: Browser, tmp_path: Path) -> None:
    guide = tmp_path / "guide.html"
    guide.write_bytes(result(MIXED).content)
    page = browser.new_page(viewport={"width": 800, "height": 800})
    page.goto(guide.as_uri())
    gaps = page.evaluate("""() => [...document.querySelectorAll("main li")].map(item => {
        const words = document.createRange();
        words.selectNodeContents(item);
        const [inner, outer] = [words.getBoundingClientRect(), item.getBoundingClientRect()];
        return item.matches(":dir(rtl)") ? outer.right - inner.right : inner.left - outer.left;
    })""")
    assert len(gaps) == 4 and max(gaps) < 5
    page.close()
