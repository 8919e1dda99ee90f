"""The zip: the text with its pictures in place, the pictures, and the manifest."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from PIL import Image

from exports.identity import identity_key, renderer_version, screenshot_set_hash
from exports.renderers import RENDERERS
from tests.exports.documents import (
    GUIDE,
    PNG,
    block_id,
    drawing,
    encoded,
    make_document,
    sample,
    with_markers,
)

pytestmark = pytest.mark.slow

BUNDLE = RENDERERS["MD_ZIP"]


def unpacked(markdown: str, *pictures: tuple[str | None, bytes], **changed: Any) -> dict[str, bytes]:
    document, read = make_document(markdown, pictures, **changed)
    with zipfile.ZipFile(io.BytesIO(BUNDLE.render(document, read).content)) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def text_of(markdown: str, *pictures: tuple[str | None, bytes], **changed: Any) -> str:
    return unpacked(markdown, *pictures, **changed)["instruction.md"].decode()


def pictures_in(markdown: str) -> list[tuple[str, str]]:
    """Return (description, target) of each picture that a CommonMark parser finds."""
    found = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown):
        found += [(c.content, str(c.attrs["src"])) for c in token.children or [] if c.type == "image"]
    return found


def test_the_text_is_untouched_but_for_markers_facts_and_pictures() -> None:
    title = "# Send an invoice\n"
    expected = GUIDE.replace(title, f"{title}\n3 steps · 1:02\n")
    assert text_of(with_markers(GUIDE)) == expected
    place = block_id(with_markers(GUIDE), "Press Send")
    with_picture = text_of(with_markers(GUIDE), (place, PNG))
    assert with_picture == expected + "\n![Press Send](images/01-step-3.png)\n"


@pytest.mark.parametrize(
    ("opening", "expected"),
    [
        ("# Title\nText.", "# Title\n\nFACT\n\nText."),
        ("Title\n=====\n\n- item", "Title\n=====\n\nFACT\n\n- item"),
        ("Text.", "FACT\n\nText."),
        ("", "FACT\n"),
    ],
)
def test_the_facts_stand_below_the_title(opening: str, expected: str) -> None:
    assert text_of(opening, length_ms=61_000).startswith(expected.replace("FACT", "1:01"))


def test_a_guide_of_which_nothing_is_known_keeps_its_text() -> None:
    assert text_of("# Title\n\nText.\n") == "# Title\n\nText.\n"


@pytest.mark.parametrize(
    ("title", "line_before", "line_after"),
    [
        ("Open the Invoices page", "Click **Invoices** in the menu.", "### Step 2: Click `New` (0:12–0:18)"),
        ("Click New", "- paid ones in grey.", "## Send it"),
        ("Write it", "## Write it", "### Step 1: Open the **Invoices** page (0:04–0:12)"),
        ("What you need", "What you need: an account with the role *Editor*.", "## Write it"),
        ("The list opens", "The list opens:", "- newest first,"),
        ("- newest", "- paid ones in grey.", "## Send it"),
        ("| Field", "| Amount | 12,00 |", "The customer gets an e-mail."),
    ],
)
def test_a_picture_stands_at_the_end_of_its_step_or_behind_its_block(
    title: str, line_before: str, line_after: str
) -> None:
    text = with_markers(GUIDE)
    lines = text_of(text, (block_id(text, title), PNG)).split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith("!["))
    assert [lines[at - 2], lines[at - 1], lines[at + 1], lines[at + 2]] == [line_before, "", "", line_after]


def test_pictures_are_named_in_the_order_of_the_text_and_of_their_tuple() -> None:
    text = with_markers(GUIDE)
    first, last = block_id(text, "Open the Invoices page"), block_id(text, "Press Send")
    jpeg, webp = encoded(drawing(1), "JPEG"), encoded(drawing(2), "WEBP")
    files = unpacked(
        text, (last, PNG), (first, jpeg), (None, PNG), (last, webp), (block_id(text, "What"), PNG)
    )
    assert list(files) == [
        "instruction.md",
        "images/01-picture.png",
        "images/02-step-1.jpg",
        "images/03-step-3.png",
        "images/04-step-3.webp",
        "images/05-picture.png",
        "manifest.json",
    ]
    assert [target for _, target in pictures_in(files["instruction.md"].decode())] == list(files)[1:-1]


def test_a_hundred_pictures_still_sort_by_name() -> None:
    names = [name for name in unpacked("# T\n", *[(None, PNG)] * 100) if name.startswith("images")]
    assert names == sorted(names) and len(names) == 100


@pytest.mark.parametrize("place", [None, "00000000-0000-0000-0000-00000000ffff"])
def test_a_picture_without_a_place_stands_at_the_end(place: str | None) -> None:
    assert text_of(with_markers(GUIDE), (place, PNG)).endswith(
        "The customer gets an e-mail.\n\n![Send an invoice](images/01-picture.png)\n"
    )


@pytest.mark.parametrize(
    "ending",
    [
        "```bash\nrm -r /\n",
        "~~~~\nno end",
        "<!-- a remark without end",
        "<script>alert(1)",
        "<style>\np {}",
        "<pre>\nx",
        "<?php",
        "<![CDATA[",
        "<!DOCTYPE html",
        "<div>\nopen",
        "> quoted\n> ```\n> open",
        "- item\n\n  ```\n  open",
        "".join("  " * depth + "- a\n" for depth in range(60)),
        "[link]: /url\n'title without end",
        "a line\\",
        "| a | b |\n| - | - |\n| c",
        "text\r\nwith other ends\r\n",
        "",
    ],
)
def test_a_picture_is_seen_whatever_stands_open_before_it(ending: str) -> None:
    text = with_markers(f"# T\n\n{ending}")
    shown = pictures_in(text_of(text, (None, PNG), (None, PNG)))
    assert [target for _, target in shown] == ["images/01-picture.png", "images/02-picture.png"]


def test_a_text_with_the_name_of_an_exported_picture_is_exported() -> None:
    text = with_markers("# T\n\n![mine](images/01-picture.png)\n\n```\nopen")
    assert len(unpacked(text, (None, PNG))) == 3


@pytest.mark.parametrize(
    "alt",
    [
        "Plain",
        "a *b* [c](d) `e` _f_ ~~g~~",
        "]( x",
        "back\\slash\\",
        "<b>&amp;</b>",
        "![x](y)",
        "ends with \\",
    ],
)
def test_descriptions_come_out_as_they_are(alt: str) -> None:
    rendered = MarkdownIt("commonmark").enable("strikethrough").render(text_of("# T\n", (None, PNG), alt=alt))
    described = rendered.split('alt="')[1].split('"')[0]
    assert described == alt.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_a_description_is_never_empty_and_of_one_line() -> None:
    assert pictures_in(text_of("# T\n", (None, PNG), alt="\u200b", title=" ")) == [
        ("Picture", "images/01-picture.png")
    ]
    assert pictures_in(text_of("# T\n", (None, PNG), alt="two\n\nlines"))[0][0] == "two lines"


def test_the_manifest_names_sources_and_the_hash_of_every_file() -> None:
    text = with_markers(GUIDE)
    content = encoded(drawing(1), "JPEG", comment=b"remark")
    place = block_id(text, "Click New")
    provenance = {"model_profile_id": "extractive", "generated_at": "2030-01-01T00:00:00Z"}
    files = unpacked(text, (place, content), provenance=provenance)
    manifest = json.loads(files["manifest.json"])
    assert (
        files["manifest.json"].decode()
        == json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    )
    document, _ = make_document(text, [(place, content)])
    set_hash = screenshot_set_hash(document.pictures)
    stripped = files["images/01-step-2.jpg"]
    assert stripped != content
    assert manifest == {
        "manifest_version": 2,
        "format": "MD_ZIP",
        "title": "Send an invoice",
        "instruction_id": "instruction-1",
        "instruction_version_id": "version-1",
        "version": 3,
        "job_id": "job-1",
        "renderer_version": renderer_version("MD_ZIP"),
        "screenshot_set_hash": set_hash,
        "identity_key": identity_key(
            instruction_version_id="version-1",
            format="MD_ZIP",
            screenshot_set_hash=set_hash,
            renderer_version=renderer_version("MD_ZIP"),
        ),
        "look_hash": None,
        "video": {"sha256": "ab" * 32},
        "provenance": {"model_profile_id": "extractive"},
        "steps": [],
        "pictures": [
            {
                "file": "images/01-step-2.jpg",
                "anchor_id": "anchor-0",
                "asset_id": "asset-0",
                "block_id": place,
                "extracted_at_ms": 4000,
                "sha256": hashlib.sha256(stripped).hexdigest(),
                "pixels_sha256": hashlib.sha256(
                    Image.open(io.BytesIO(content)).convert("RGBA").tobytes()
                ).hexdigest(),
                "source_sha256": hashlib.sha256(content).hexdigest(),
                "width": 320,
                "height": 180,
                "alt": "Click New",
                "page": None,
                "origin": None,
            }
        ],
        "files": [
            {"name": name, "size_bytes": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()}
            for name in ("instruction.md", "images/01-step-2.jpg")
        ],
    }


def test_the_manifest_in_the_zip_is_that_of_the_export() -> None:
    rendered = BUNDLE.render(*sample())
    with zipfile.ZipFile(io.BytesIO(rendered.content)) as bundle:
        assert json.loads(bundle.read("manifest.json")) == rendered.manifest


def test_exported_pictures_have_no_metadata() -> None:
    data = Image.Exif()
    data[0x0110] = "Camera-007"
    files = unpacked("# T\n", (None, encoded(drawing(1), "JPEG", exif=data)))
    assert b"Camera-007" not in b"".join(files.values())


def test_the_zip_holds_no_time_no_owner_and_no_compression() -> None:
    document, read = sample()
    content = BUNDLE.render(document, read).content
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        for entry in bundle.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert (entry.create_system, entry.external_attr >> 16) == (3, 0o100644)
            assert entry.compress_type == zipfile.ZIP_STORED
            assert not entry.is_dir() and not entry.extra
    assert struct.unpack_from("<4sHH", content)[0] == b"PK\x03\x04"


BLOCKS = [
    "# T",
    "### Step 1: a (0:01)",
    "text",
    "- a",
    "  b",
    "1. x",
    "> q",
    "---",
    "|a|b|\n|-|-|",
    "[a]: /b",
]
OPEN = ["```", "~~~", "    code", "<!-- x", "-->", "<!--", "]]>", "<div>", "<pre>", "<script>"]
FRAGMENTS = st.sampled_from([*BLOCKS, *OPEN, "\\", "`", "***", "![x](y)", "\t"])


@pytest.mark.soak
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(FRAGMENTS, st.sampled_from(["\n", "\n\n", " "])), max_size=12), st.data())
def test_every_picture_is_shown_whatever_the_text(parts: list[tuple[str, str]], data: st.DataObject) -> None:
    text = with_markers("".join(part + end for part, end in parts))
    ids = [line[11:47] for line in text.split("\n") if line.startswith("<!-- block:")]
    places = data.draw(st.lists(st.sampled_from([None, *ids]), min_size=1, max_size=4))
    shown = [target for _, target in pictures_in(text_of(text, *[(place, PNG) for place in places]))]
    ours = [target for target in shown if target.startswith("images/")]
    assert len(ours) == len(places) and ours == sorted(ours)
