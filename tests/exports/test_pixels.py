"""The hash of a picture's pixels, beside the rule in plain code."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from anchors.models import Asset
from exports.models import Export
from exports.renderers import RENDERERS, rendered
from exports.renderers.metadata import UnreadablePicture
from exports.renderers.pixels import pixels_sha256
from tests.desk import BLUR, Desk
from tests.exports.asking import done
from tests.exports.documents import PNG, encoded, make_document

RED, CLEAR = bytes((200, 30, 40, 255)), bytes((10, 20, 30, 0))


def one_row(mode: str, *pixels: Any) -> bytes:
    picture = Image.new(mode, (len(pixels), 1))
    picture.putdata(pixels)
    return encoded(picture)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (one_row("RGB", tuple(RED[:3])), RED),
        (one_row("RGBA", tuple(CLEAR), tuple(RED)), CLEAR + RED),
        (one_row("L", 7), bytes((7, 7, 7, 255))),
        (one_row("1", 255), b"\xff" * 4),
        (one_row("I;16", 0x0708, 0xFF00), bytes((7, 7, 7, 255)) + b"\xff" * 4),
        (encoded(Image.new("RGB", (1, 1), tuple(RED[:3])).quantize()), RED),
    ],
)
def test_each_pixel_is_four_bytes(content: bytes, shown: bytes) -> None:
    assert pixels_sha256(content) == hashlib.sha256(shown).hexdigest()


def test_what_cannot_be_decoded_has_no_hash() -> None:
    with pytest.raises(UnreadablePicture):
        pixels_sha256(one_row("L", *range(200))[:-30])


@pytest.mark.parametrize("format", RENDERERS)
def test_a_known_hash_spares_decoding_and_changes_no_byte(
    format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, read = make_document(pictures=[(None, PNG)])
    expected = RENDERERS[format].render(document, read)
    known = replace(document.pictures[0], pixels_sha256=pixels_sha256(PNG))
    monkeypatch.setattr(rendered, "pixels_sha256", lambda content: pytest.fail("decoded"))
    assert RENDERERS[format].render(replace(document, pictures=(known,)), read) == expected


def test_an_export_takes_the_hash_from_the_row_of_a_picture(desk: Desk) -> None:
    picture = Asset.objects.get(pk=desk.picture()["asset_id"])
    export = Export.objects.get(pk=done(desk)["id"])
    assert export.snapshot["pictures"][0]["pixels_sha256"] == picture.pixels_sha256
    assert export.manifest and export.manifest["pictures"][0]["pixels_sha256"] == picture.pixels_sha256


def test_an_export_keeps_what_it_finds_for_those_to_come(desk: Desk) -> None:
    drawn = Asset.objects.get(pk=desk.annotate(desk.picture(), BLUR).json()["rendered_asset_id"])
    manifests = [Export.objects.get(pk=done(desk, format)["id"]).manifest for format in ("MD_ZIP", "DOCX")]
    shown = [manifest["pictures"][0]["pixels_sha256"] for manifest in manifests if manifest]
    drawn.refresh_from_db()
    assert shown == [drawn.pixels_sha256] * 2
    assert Export.objects.get(format="DOCX").snapshot["pictures"][0]["pixels_sha256"] == drawn.pixels_sha256
