"""The identity of an export, recomputed by hand, and the bytes that belong to it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from importlib.metadata import version

import pytest

from exports.identity import Identity, identify, identity_key, renderer_version, screenshot_set_hash
from exports.renderers import RENDERERS
from exports.snapshot import Document, Picture
from tests.exports.documents import sample

PICTURE = Picture("b", "asset-b", None, "22" * 32, "image/png", 4, 3, 1500, "Zwei")
OTHER = Picture("a", "asset-a", "block-1", "11" * 32, "image/jpeg", 4, 3, None, "")

# Bytes of the sample by renderer version. When a renderer's bytes change on purpose, raise its revision in
# exports/identity.py and write the new line here; the old exports keep their identity and their bytes.
GOLDEN = {
    "pdf-5+markdown-it-py-4.3.0+pillow-13.0.0+typst-0.15.2+fonts-31a07943": (
        "efdf3ac0c2cada47116ac67535b20507db293dcfa83e5c86b2d57c1522867d42"
    ),
    "md_zip-4+markdown-it-py-4.3.0+pillow-13.0.0": (
        "c314c154a540374cd53eb5a118a1138fae3918dd4b6399865e4c838c630ad027"
    ),
    "html-3+markdown-it-py-4.3.0+pillow-13.0.0": (
        "47f0cbd33d63c318d9be93f93e4bc720ab038eb0f8a922b21865c2d2ae38cddb"
    ),
    "docx-3+markdown-it-py-4.3.0+pillow-13.0.0+python-docx-1.2.0+lxml-6.1.3": (
        "d1ee0041b8e69c7491843c0743277cfceb43c4314e332433d195eea2aa961bb9"
    ),
}


def test_the_hash_of_the_pictures_can_be_recomputed_by_hand() -> None:
    canonical = (
        '[{"anchor_id":"a","block_id":"block-1","checksum_sha256":"' + "11" * 32 + '"},'
        '{"anchor_id":"b","block_id":null,"checksum_sha256":"' + "22" * 32 + '"}]'
    )
    expected = hashlib.sha256(canonical.encode()).hexdigest()
    assert screenshot_set_hash([PICTURE, OTHER]) == expected
    assert screenshot_set_hash([OTHER, PICTURE]) == expected


def test_no_pictures_have_a_hash_too() -> None:
    assert screenshot_set_hash([]) == hashlib.sha256(b"[]").hexdigest()


@pytest.mark.parametrize(
    ("field", "value", "changes"),
    [
        ("anchor_id", "c", True),
        ("block_id", "block-2", True),
        ("sha256", "33" * 32, True),
        ("alt", "Drei", False),
        ("asset_id", "asset-c", False),
        ("extracted_at_ms", 9, False),
    ],
)
def test_only_anchor_address_and_checksum_change_the_hash(field: str, value: str, changes: bool) -> None:
    changed = replace(PICTURE, **{field: value})
    assert (screenshot_set_hash([changed]) != screenshot_set_hash([PICTURE])) is changes


def test_the_identity_key_can_be_recomputed_by_hand() -> None:
    key = identity_key(
        instruction_version_id="v1", format="PDF", screenshot_set_hash="abc", renderer_version="pdf-1"
    )
    assert key == hashlib.sha256(b"v1|PDF|abc|pdf-1").hexdigest()


def test_a_document_is_identified_by_version_format_and_pictures() -> None:
    document, _ = sample()
    renderer, set_hash = renderer_version("PDF"), screenshot_set_hash(document.pictures)
    key = hashlib.sha256(f"version-1|PDF|{set_hash}|{renderer}".encode()).hexdigest()
    assert identify(document, format="PDF") == Identity(renderer, set_hash, key, None)


@pytest.mark.parametrize("format", RENDERERS)
def test_every_format_has_a_renderer_version_that_names_its_parts(format: str) -> None:
    found = renderer_version(format)
    assert found.startswith(f"{format.lower()}-")
    assert f"markdown-it-py-{version('markdown-it-py')}" in found
    assert (f"typst-{version('typst')}" in found) is (format == "PDF")
    assert len(found) <= 255 and "|" not in found


def test_a_format_that_nothing_renders_has_no_version() -> None:
    with pytest.raises(KeyError):
        renderer_version("EPUB")


@pytest.mark.parametrize("format", RENDERERS)
def test_bytes_change_only_with_the_renderer_version(format: str) -> None:
    document, read = sample()
    rendered = RENDERERS[format].render(document, read).content
    known = GOLDEN.get(renderer_version(format))
    assert known == hashlib.sha256(rendered).hexdigest(), f"see GOLDEN; this is {renderer_version(format)}"


def test_a_snapshot_survives_being_stored_as_json() -> None:
    document, _ = sample()
    stored = json.loads(json.dumps(document.to_json()))
    assert Document.from_json(stored) == document


@pytest.mark.parametrize(
    "damage",
    [
        {"snapshot_version": 2},
        {"surprise": 1},
        {"pictures": [{"anchor_id": "a"}]},
    ],
)
def test_a_snapshot_of_another_shape_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="this snapshot"):
        Document.from_json({**sample()[0].to_json(), **damage})


def test_a_snapshot_from_before_the_evidence_is_read() -> None:
    stored = sample()[0].to_json()
    del stored["steps"]
    assert Document.from_json(stored).steps == ()


def test_a_snapshot_without_a_field_is_refused() -> None:
    stored = sample()[0].to_json()
    del stored["markdown"]
    with pytest.raises(ValueError, match="this snapshot"):
        Document.from_json(stored)
