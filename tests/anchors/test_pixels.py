"""The hash of what a picture shows, which is taken while the picture is in memory."""

from __future__ import annotations

import hashlib

import pytest
from django.db import DatabaseError, transaction
from PIL import Image

from anchors.models import Asset
from anchors.pixels import pixels_sha256
from config.storage import storage
from tests.desk import BLUR, Desk

pytestmark = pytest.mark.slow


def of_file(asset: Asset) -> str:
    """Return the hash by plain code: of the file, decoded anew."""
    with storage().local_path(asset.uri) as path, Image.open(path) as picture:
        return hashlib.sha256(picture.convert("RGBA").tobytes()).hexdigest()


def test_the_row_of_a_frame_tells_what_its_file_shows(desk: Desk) -> None:
    picture = Asset.objects.get(pk=desk.picture()["asset_id"])
    assert picture.pixels_sha256 == of_file(picture)


@pytest.mark.parametrize("image_format", ["jpg", "webp"])
def test_what_a_lossy_file_shows_is_not_told(desk: Desk, image_format: str) -> None:
    task = desk.picture(format=image_format)
    assert Asset.objects.get(pk=task["asset_id"]).pixels_sha256 == ""


def test_it_is_written_once(desk: Desk) -> None:
    drawn = Asset.objects.get(pk=desk.annotate(desk.picture(), BLUR).json()["rendered_asset_id"])
    Asset.objects.filter(pk=drawn.pk).update(pixels_sha256="a" * 64)
    Asset.objects.filter(pk=drawn.pk).update(pixels_sha256="a" * 64, is_deleted=True)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Asset.objects.filter(pk=drawn.pk).update(pixels_sha256="b" * 64)


def test_rows_of_a_large_picture_are_hashed_as_one() -> None:
    picture = Image.linear_gradient("L").resize((31, 257))
    assert pixels_sha256(picture) == hashlib.sha256(picture.convert("RGBA").tobytes()).hexdigest()
