"""The page of differences: what it shows, that it needs nothing, and that no text of a guide becomes markup."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.comparison import compare as engine
from exports.comparison import page as pages
from exports.comparison.calls import compare_on_page, compare_steps
from exports.comparison.changes import PictureDamaged, TooMuchToCompare
from exports.comparison.compare import PictureFiles, compare_guides
from exports.comparison.page import render_page
from exports.snapshot import AssetMissing, Document
from instructions.blocks import parse_blocks
from tests.exports.comparing import RecordedGuide, compare
from tests.exports.documents import drawing, encoded, make_document, with_markers
from tests.exports.html_reading import Page, read_page
from tests.factories import Api

ROOT = Path(__file__).parents[2]
OLD = """# Send an invoice

## Step 1: Open the invoices (0:01–0:02)

Click *Invoices*.

## Step 2: Click New

- The number is given.
- The date is today's.

## Step 3: Print it

Press `Ctrl+P`.
"""
NEW = """# Send an invoice

## Step 1: Open the invoices

click Invoices

## Step 2: Click Create

- The number is given.
- The date is that of today.

## Step 3: Send it

Press Send.
"""


def document(
    markdown: str, pictures: Mapping[int, list[bytes]], folder: Path, name: str, **changed: Any
) -> tuple[Document, dict[str, Path]]:
    """Return a document with pictures by the number of their step, and the files of these."""
    text = with_markers(markdown).replace(
        "00000000-0000-0000", f"00000000-0000-{'a' if name == 'old' else 'b'}000"
    )
    steps = [block.block_id for block in parse_blocks(text) if block.kind == "step"]
    placed = [(steps[number - 1], content) for number, found in pictures.items() for content in found]
    made, read = make_document(text, placed, alt="A screen", **changed)
    files = {}
    for picture in made.pictures:
        path = folder / f"{name}-{picture.asset_id}"
        path.write_bytes(read(picture))
        files[f"{name}-{picture.asset_id}"] = path
    renamed = [{**picture.__dict__, "asset_id": f"{name}-{picture.asset_id}"} for picture in made.pictures]
    return Document.from_json({**made.to_json(), "pictures": renamed}), files


def compared(folder: Path, old: str = OLD, new: str = NEW, *pictures: Mapping[int, list[bytes]]) -> bytes:
    before, after = pictures or ({}, {})
    (one, files), (other, more) = document(old, before, folder, "old"), document(new, after, folder, "new")
    return compare_on_page(one, other, files | more)


def page_of(folder: Path, *given: Any) -> Page:
    return read_page(compared(folder, *given))


def test_each_step_says_what_became_of_it(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    assert page.all("h1")[0].text == "What changed: Send an invoice"
    assert [item.text for item in page.all("ul", class_="counts")] == [
        "1 the same1 changed in words1 added1 removed"
    ]
    assert [heading.text for heading in page.all("h2")] == [
        *("1 Open the invoices Same", "2 Click New Create Words changed"),
        *("3 Print it Removed", "3 Send it Added"),
    ]
    assert [found.text for found in page.all("del")] == ["New", "today's."]
    assert [found.text for found in page.all("ins")] == ["Create", "that of today."]
    assert "Press Ctrl+P." in page.main and "Click Invoices" not in page.main
    assert [found.text for found in page.all("p", class_="summary")] == [
        *("Before Send an invoice · version 3 · 3 steps", "After Send an invoice · version 3 · 3 steps")
    ]


def test_links_lead_to_the_steps_that_changed(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    links = [link.attributes["href"].removeprefix("#") for link in page.all("a")]
    assert links == ["change-2", "change-3", "change-4", "contents"]
    assert page.ids == ["contents", "change-1", "change-2", "change-3", "change-4"]


def test_pictures_stand_side_by_side_with_what_differs_outlined(tmp_path: Path) -> None:
    before, after = drawing(1, size=(640, 360)), drawing(1, size=(640, 360))
    after.paste((220, 38, 38), (400, 200, 600, 300))
    same, old, new = (encoded(picture) for picture in (drawing(5), before, after))
    page = page_of(tmp_path, OLD, OLD, {1: [same], 2: [old]}, {1: [same], 2: [new]})
    assert page.pictures == [old, new]
    assert [image.attributes["alt"] for image in page.all("img")] == ["Before: A screen", "After: A screen"]
    assert [figure.text for figure in page.all("figcaption")] == ["Before", "After"]
    outlines = page.all("rect", class_="line")
    assert len(outlines) == 2 and outlines[0].attributes == outlines[1].attributes
    x, y, width, height = (
        int(outlines[0].attributes[name]) / 10_000 for name in ("x", "y", "width", "height")
    )
    assert (x, y) == (pytest.approx(400 / 640, abs=0.02), pytest.approx(200 / 360, abs=0.02))
    assert (width, height) == (pytest.approx(200 / 640, abs=0.03), pytest.approx(100 / 360, abs=0.04))


def test_pictures_of_steps_that_came_and_went_are_shown(tmp_path: Path) -> None:
    pictures = [encoded(drawing(number)) for number in (1, 2, 3)]
    page = page_of(tmp_path, OLD, NEW, {3: pictures[:1]}, {3: pictures[1:]})
    assert page.pictures == pictures and not page.all("svg")
    assert [figure.text for figure in page.all("figcaption")] == ["Before", "After", "After"]


def test_guides_without_changes_or_steps_have_a_page_too(tmp_path: Path) -> None:
    page = page_of(tmp_path, OLD, OLD)
    assert (page.all("nav"), page.all("a")) == ([], [])
    assert page.all("ul", class_="counts")[0].text == "3 the same"
    assert "No steps." in page_of(tmp_path, "text", "text").all("header")[0].text


def test_the_page_allows_its_stylesheet_and_its_pictures_alone(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    digest = base64.b64encode(hashlib.sha256(page.stylesheet.encode()).digest()).decode()
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy.attributes["content"] == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert not {"script", "link", "iframe", "form"} & {element.tag for element in page.elements}
    assert not re.search(r"url\(|@import", page.stylesheet)
    assert not any(
        name.startswith("on") or name == "style" for found in page.elements for name in found.attributes
    )
    assert all(image.attributes["src"].startswith("data:") for image in page.all("img"))


NAMES = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "h1",
        "p",
        "span",
        "ul",
        "li",
        "strong",
        "nav",
    ),
    *("details", "summary", "ol", "a", "main", "section", "h2", "div", "ins", "del", "pre", "code"),
}
PARTS = st.one_of(
    st.sampled_from(
        ["## Step 1: ", "## Step 2: ", "\n\n", "- ", "```\n", "|a|\n|-|\n|", "<b>", "</p>", "<!--", "-->"]
    ),
    st.sampled_from(["<script>alert(1)</script>", '"', "'", " onload=x", "]]>", "<svg>", "&lt;", "\x07"]),
    st.text(max_size=8),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(PARTS, max_size=10).map("".join), st.lists(PARTS, max_size=10).map("".join), st.text(max_size=6)
)
def test_any_text_gives_a_whole_page_of_known_elements(old: str, new: str, title: str) -> None:
    (one, _), (other, _) = (
        make_document(with_markers(text), title=title, language=title) for text in (old, new)
    )
    files = PictureFiles({})
    page = read_page(render_page(compare_guides(one, other, files), one, other, files.of))
    assert {element.tag for element in page.elements} <= NAMES
    assert page.problems == [] and len(set(page.ids)) == len(page.ids)


def test_more_than_is_compared_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = {2: [encoded(drawing(1))]}, {2: [encoded(drawing(2))]}
    monkeypatch.setattr(engine, "MAX_STEPS", 2)
    with pytest.raises(TooMuchToCompare, match="over 2 steps"):
        compared(tmp_path)
    monkeypatch.setattr(engine, "MAX_STEPS", 3)
    monkeypatch.setattr(engine, "MAX_PIXELS", 2 * 320 * 180 - 1)
    with pytest.raises(TooMuchToCompare, match="megapixels"):
        compared(tmp_path, OLD, NEW, *pictures)
    monkeypatch.setattr(engine, "MAX_PIXELS", 2 * 320 * 180)
    monkeypatch.setattr(pages, "MAX_PICTURE_BYTES", len(pictures[0][2][0]))
    with pytest.raises(TooMuchToCompare, match="MiB"):
        compared(tmp_path, OLD, NEW, *pictures)


def test_equal_pictures_are_not_decoded_and_others_must_be_whole(tmp_path: Path) -> None:
    whole = encoded(drawing(1))
    (old, files), (new, more) = (document(OLD, {1: [whole]}, tmp_path, name) for name in ("old", "new"))
    for path in (files | more).values():
        path.unlink()
    assert {step.change for step in compare_steps(old, new, files | more)} == {"same"}
    (new, more) = document(OLD, {1: [encoded(drawing(2))]}, tmp_path, "new")
    with pytest.raises(AssetMissing):
        compare_steps(old, new, files | more)
    broken = whole[: len(whole) // 2]
    (old, files), (new, more) = document(OLD, {}, tmp_path, "old"), document(OLD, {}, tmp_path, "new")
    fields = {
        "block_id": parse_blocks(old.markdown)[1].block_id,
        "sha256": hashlib.sha256(broken).hexdigest(),
    }
    (tmp_path / "broken").write_bytes(broken)
    picture = {
        **document(OLD, {1: [whole]}, tmp_path, "old")[0].pictures[0].__dict__,
        "asset_id": "broken",
        **fields,
    }
    damaged = Document.from_json({**old.to_json(), "pictures": [picture]})
    other, others = document(OLD, {1: [whole]}, tmp_path, "new")
    with pytest.raises(PictureDamaged):
        compare_steps(damaged, other, others | {"broken": tmp_path / "broken"})


@pytest.mark.slow
def test_the_same_guides_give_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    program = (
        "import django, hashlib, pathlib, sys\n"
        "django.setup()\n"
        "from tests.exports.test_compare_page import NEW, OLD, compared\n"
        "from exports.comparison.words import Vocabulary\n"
        "from tests.exports.documents import drawing, encoded\n"
        "pictures = [{2: [encoded(drawing(n))]} for n in (1, 4)]\n"
        "texts = [[f'word {n}' for n in range(k)] for k in range(2, 80)]\n"
        "print(Vocabulary(texts).measure(texts[-1]).weight)\n"
        "print(hashlib.sha256(compared(pathlib.Path(sys.argv[1]), OLD, NEW, *pictures)).hexdigest())\n"
    )
    seen = set()
    for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo"), ("77", "America/Lima")):
        (folder := tmp_path / seed).mkdir()
        given = {"PYTHONHASHSEED": seed, "TZ": zone, "DJANGO_SETTINGS_MODULE": "config.settings"}
        command = [sys.executable, "-c", program, str(folder)]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | given, capture_output=True, text=True, check=True
        )
        seen.add(done.stdout)
    assert len(seen) == 1


def test_the_page_is_a_download_that_may_do_nothing(owner: Api) -> None:
    old = RecordedGuide(owner, ("Save", "Click Save.", []), title="Ünïcode “guide”")
    new = RecordedGuide(owner, ("Save", "Press Save.", [drawing(1)]), title="Ünïcode “guide”")
    answer = compare(owner, old, new, accept="text/html")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="unicode-guide-changes.html"'
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert read_page(answer.content).all("ul", class_="counts")[0].text == "1 changed in both"
    assert answer.content == compare(owner, old, new, accept="text/html").content
